package dev.pals.db;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/** A data source that refuses more than so many connections at a time, as an exhausted pool does. */
final class FewConnections {
    private final DataSource unlimited;
    private final int limit;
    private final AtomicInteger inUse = new AtomicInteger();
    private final AtomicInteger mostInUse = new AtomicInteger();

    FewConnections(DataSource unlimited, int limit) {
        this.unlimited = unlimited;
        this.limit = limit;
    }

    int mostInUse() {
        return mostInUse.get();
    }

    DataSource dataSource() {
        return proxy(
                DataSource.class,
                (method, arguments) ->
                        method.getName().equals("getConnection") ? connection() : invoke(unlimited, method, arguments));
    }

    private Connection connection() throws SQLException {
        if (inUse.incrementAndGet() > limit) {
            inUse.decrementAndGet();
            throw new SQLException("no connection is left, all " + limit + " are in use");
        }
        mostInUse.accumulateAndGet(inUse.get(), Math::max);
        Connection connection = unlimited.getConnection();
        AtomicBoolean open = new AtomicBoolean(true);
        return proxy(Connection.class, (method, arguments) -> {
            if (method.getName().equals("close") && open.getAndSet(false)) {
                inUse.decrementAndGet();
            }
            return invoke(connection, method, arguments);
        });
    }

    private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
    }

    private static <T> T proxy(Class<T> type, Handler handler) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> handler.handle(method, arguments)));
    }

    @FunctionalInterface
    private interface Handler {
        Object handle(Method method, Object[] arguments) throws Throwable;
    }
}
