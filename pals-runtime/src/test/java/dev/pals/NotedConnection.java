package dev.pals;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A connection that notes what is called on it. */
final class NotedConnection {
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final Connection connection;

    NotedConnection(Connection target) {
        connection = (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    calls.add(method.getName() + (arguments == null ? "()" : ""));
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

    /** The names of the methods, in order; those without arguments end with parentheses. */
    List<String> calls() {
        return calls;
    }
}
