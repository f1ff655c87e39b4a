// The baseline: a bare start of Node.
void 0;
