/** Answers the harness: each question by the function of its name. The program ends when the harness hangs up. */
export function serve(answers) {
  process.on('message', async ({ id, question, input }) => {
    try {
      process.send({ id, answer: await answers[question](input) })
    } catch (error) {
      process.send({ id, error: error.stack })
    }
  })
  process.send({ id: 0 })
}
