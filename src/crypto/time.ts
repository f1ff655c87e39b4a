/** The last time a format of ours can hold, in seconds since 1970: 9999-12-31T23:59:59Z, as RFC 3339 has four digits for a year. */
export const maxTimeSeconds = 253_402_300_799;
