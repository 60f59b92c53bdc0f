package dev.pals.internal.gate;

import java.lang.StackWalker.StackFrame;

/** Which thread made a request, and where. Every request has one, so its texts are made only where they are shown. */
record Origin(String threadName, long threadId, StackFrame takenAt) {
    private static final StackWalker WALKER = StackWalker.getInstance();

    /** The calling thread, and the first caller outside of this library. */
    static Origin ofCaller() {
        Thread thread = Thread.currentThread();
        // No reference to the thread: it could keep a forgotten handle from being found.
        return new Origin(
                thread.getName(),
                thread.getId(),
                WALKER.walk(frames -> frames.filter(frame -> !isOurs(frame.getClassName()))
                        .findFirst()
                        .orElseThrow()));
    }

    private static boolean isOurs(String className) {
        return className.startsWith("dev.pals.internal.")
                || className.equals("dev.pals.LockRequest")
                || className.equals("dev.pals.LockedTransaction")
                || className.equals("dev.pals.RequestLock");
    }

    /** Virtual threads mostly have no name. */
    String thread() {
        return threadName.isEmpty() ? "thread " + threadId : threadName;
    }
}
