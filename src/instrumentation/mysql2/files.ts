import { inFolder } from '../libraries.js'

/** Any file of mysql2. */
export const MYSQL2_FILE = inFolder('mysql2')
