package dev.pals;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;

/** The prepared statements that are executed on the connections of a data source: one is one round trip. */
final class Statements {
    private final List<String> executed = new CopyOnWriteArrayList<>();

    /** The same data source, whose statements are noted. */
    DataSource of(DataSource dataSource) {
        return noting(DataSource.class, dataSource, "");
    }

    List<String> executed() {
        return executed;
    }

    void forget() {
        executed.clear();
    }

    private <T> T noting(Class<T> type, T target, String sql) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().startsWith("execute")) {
                        executed.add(sql);
                    }
                    try {
                        Object result = method.invoke(target, arguments);
                        if (result instanceof Connection connection && target instanceof DataSource) {
                            return noting(Connection.class, connection, "");
                        }
                        return result instanceof PreparedStatement statement && target instanceof Connection
                                ? noting(PreparedStatement.class, statement, (String) arguments[0])
                                : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }
}
