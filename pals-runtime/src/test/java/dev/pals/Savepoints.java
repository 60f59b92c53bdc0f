package dev.pals;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.concurrent.atomic.AtomicInteger;

/** A connection whose savepoints are counted. */
final class Savepoints {
    private final AtomicInteger set = new AtomicInteger();
    private final AtomicInteger released = new AtomicInteger();
    private final Connection connection;

    Savepoints(Connection target) {
        connection = (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("setSavepoint")) {
                        set.incrementAndGet();
                    } else if (method.getName().equals("releaseSavepoint")) {
                        released.incrementAndGet();
                    }
                    try {
                        return method.invoke(target, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    Connection connection() {
        return connection;
    }

    int set() {
        return set.get();
    }

    int released() {
        return released.get();
    }
}
