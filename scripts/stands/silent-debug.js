/**
 * What dependencies get for `debug`. The real one prints the arguments and the output of every
 * git command to stderr when the environment has a DEBUG variable.
 */
export default function createDebug() {
  return Object.assign(() => {}, { enabled: false, extend: createDebug, destroy: () => true });
}

createDebug.default = createDebug;
createDebug.formatters = {};
