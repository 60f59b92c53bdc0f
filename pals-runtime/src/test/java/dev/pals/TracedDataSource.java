package dev.pals;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import javax.sql.DataSource;

/**
 * A data source as tracing libraries wrap it, its connections and their statements. Who traces it can also fail it, or
 * hold it up.
 */
final class TracedDataSource {
    /** What a tracer is told before a connection is made. */
    static final String CONNECT = "getConnection";

    private TracedDataSource() {}

    interface Tracer {
        /**
         * Comes before what is done, and instead of it if it throws.
         *
         * @param what {@link #CONNECT}, or the SQL of a prepared statement
         */
        void before(String what) throws Exception;

        /** Comes after a statement was executed. */
        default void after(String sql) throws Exception {}
    }

    static DataSource of(DataSource dataSource, Tracer tracer) {
        return wrapped(DataSource.class, dataSource, "", tracer);
    }

    private static <T> T wrapped(Class<T> type, T target, String sql, Tracer tracer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().equals(CONNECT) && target instanceof DataSource) {
                        tracer.before(CONNECT);
                    } else if (method.getName().startsWith("execute")) {
                        tracer.before(sql);
                    }
                    try {
                        Object result = method.invoke(target, arguments);
                        if (method.getName().startsWith("execute")) {
                            tracer.after(sql);
                        }
                        if (target instanceof DataSource && result instanceof Connection connection) {
                            return wrapped(Connection.class, connection, "", tracer);
                        }
                        return target instanceof Connection && result instanceof PreparedStatement statement
                                ? wrapped(PreparedStatement.class, statement, (String) arguments[0], tracer)
                                : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }
}
