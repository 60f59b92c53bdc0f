package dev.pals.examples.transfers;

/** One row of the file; the amount is in cents. */
record Transfer(long id, long from, long to, long amount) {
    private static final int CHUNK_SIZE = 100;

    /** Transfers are handed out to workers in chunks. */
    long chunk() {
        return id / CHUNK_SIZE;
    }
}
