package dev.pals.internal.sql;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;

import org.jooq.Field;
import org.jooq.Routine;

/** PostgreSQL's functions without a result, such as those that wait for a lock, which jOOQ generates as procedures. */
public final class VoidFunction {
    private VoidFunction() {}

    /** A call of the function with these arguments: true, once it has returned. */
    public static Field<Boolean> granted(Routine<Void> function, Field<?>... arguments) {
        // PostgreSQL takes void for a value.
        return field(
                function(function.getQualifiedName(), Object.class, arguments).isNotNull());
    }
}
