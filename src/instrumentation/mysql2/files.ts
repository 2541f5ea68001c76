import { inFolder } from '../libraries.js'

/** The words by which its files ask for the classes of connections and pools, in one version or another. */
export const MYSQL2_CLASSES = ['connection', 'pool'].flatMap((name) => [
  `./base/${name}.js`,
  `./base/${name}`,
  `./lib/${name}.js`,
  `./${name}.js`,
])

/** Any file of mysql2. */
export const MYSQL2_FILE = inFolder('mysql2')
