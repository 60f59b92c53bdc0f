package dev.pals.key;

import java.util.Optional;
import java.util.UUID;
import java.util.function.LongFunction;

/** How the ids of a family become keys. */
sealed interface IdType<T> {
    IdType<Long> LONG = new Numeric<>(Long.class, id -> id);
    IdType<Integer> INTEGER = new Numeric<>(Integer.class, id -> (int) id);
    IdType<String> STRING = new Hashed<>(String.class);
    IdType<UUID> UUID = new Hashed<>(UUID.class);

    Class<T> type();

    boolean isNumeric();

    long key(LockFamily<T> family, T id);

    Optional<T> id(LockFamily<T> family, long key);

    /** A bijection, which can be computed in SQL and undone. */
    record Numeric<T extends Number>(Class<T> type, LongFunction<T> narrowed) implements IdType<T> {
        @Override
        public boolean isNumeric() {
            return true;
        }

        @Override
        public long key(LockFamily<T> family, T id) {
            long number = id.longValue();
            if (!isId(number)) {
                throw new InvalidLockIdException("The id " + number + " of lock family " + family + " is out of range:"
                        + " its absolute value must be below 2^40 (" + LockFamily.ID_LIMIT + ").");
            }
            return family.familyHash() ^ number;
        }

        @Override
        public Optional<T> id(LockFamily<T> family, long key) {
            long number = family.familyHash() ^ key;
            T id = narrowed.apply(number);
            return isId(number) && id.longValue() == number ? Optional.of(id) : Optional.empty();
        }

        private static boolean isId(long number) {
            return -LockFamily.ID_LIMIT < number && number < LockFamily.ID_LIMIT;
        }
    }

    /** For ids that do not fit into a number. */
    record Hashed<T>(Class<T> type) implements IdType<T> {
        @Override
        public boolean isNumeric() {
            return false;
        }

        @Override
        public long key(LockFamily<T> family, T id) {
            try {
                String text = LockHash.checkedName("id of lock family " + family, id.toString());
                return LockHash.of(family.app() + "." + family.name() + ":" + text);
            } catch (InvalidLockNameException e) {
                throw new InvalidLockIdException(String.valueOf(e.getMessage()));
            }
        }

        @Override
        public Optional<T> id(LockFamily<T> family, long key) {
            return Optional.empty();
        }
    }
}
