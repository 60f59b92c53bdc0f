package dev.pals.examples.transfers;

/** A file of transfers is malformed; the message says where and why. */
final class InvalidTransferException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    InvalidTransferException(String message) {
        super(message);
    }
}
