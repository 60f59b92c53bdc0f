package dev.pals.lock;

/** A locker was to have fencing tokens, and its database has none to give: it was not opened. */
public final class FencingUnavailableException extends LockException {
    private static final long serialVersionUID = 1L;

    /** For the runtime. */
    public FencingUnavailableException(String locker) {
        super(
                locker
                        + " cannot have fencing tokens: the sequence pals.fencing_token is missing, or this role may not use"
                        + " it. Call PalsSchema.migrate(dataSource) and grant usage on schema pals and on the sequence, or"
                        + " build the locker without fencingTokens().",
                null);
    }
}
