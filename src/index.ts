/** The library. It grows with the tool; what is exported here is kept stable. */
export { errorCatalogue, exitCodes, isSealtreeError, SealtreeError, type ErrorCode } from "./errors.ts";
