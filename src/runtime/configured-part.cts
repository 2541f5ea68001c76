/** What threads load where there is a configuration file. Bundled into one file, without the parser of YAML. */
export { configuredEnvironment, handOnConfiguration } from './configured.js'
