package dev.pals.benchmarks.contender;

/** What all threads of a contender share, so that the end of one thread does not close it. */
record SharedLocks(Locks all) implements Locks {
    @Override
    public boolean tryLocked(int key, Section section) throws Exception {
        return all.tryLocked(key, section);
    }

    @Override
    public void locked(int key, Section section) throws Exception {
        all.locked(key, section);
    }

    @Override
    public void reading(int key, Section section) throws Exception {
        all.reading(key, section);
    }

    @Override
    public void writing(int key, Section section) throws Exception {
        all.writing(key, section);
    }

    @Override
    public void transaction(int key, Work work) throws Exception {
        all.transaction(key, work);
    }
}
