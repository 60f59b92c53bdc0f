package dev.pals;

import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.Transaction;
import org.jooq.TransactionContext;
import org.jooq.TransactionProvider;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** Spring's transactions, and jOOQ within them in the two ways in which it is set up. */
final class SpringTransactions {
    private final DataSource dataSource;
    private final PlatformTransactionManager manager;

    SpringTransactions(DataSource dataSource) {
        this.dataSource = dataSource;
        manager = new DataSourceTransactionManager(dataSource);
    }

    /** The connections are Spring's; of its transactions jOOQ knows nothing. */
    DSLContext dsl() {
        return DSL.using(new TransactionAwareDataSourceProxy(dataSource), SQLDialect.POSTGRES);
    }

    /** Also the transactions that are begun through jOOQ are Spring's. */
    DSLContext dslWithProvider() {
        return dsl().configuration().derive(new Provider(manager)).dsl();
    }

    /** As Spring's own, and as users write it. */
    private record Provider(PlatformTransactionManager manager) implements TransactionProvider {
        private record Begun(TransactionStatus status) implements Transaction {}

        @Override
        public void begin(TransactionContext context) {
            context.transaction(new Begun(manager.getTransaction(
                    new DefaultTransactionDefinition(TransactionDefinition.PROPAGATION_NESTED))));
        }

        @Override
        public void commit(TransactionContext context) {
            manager.commit(status(context.transaction()));
        }

        @Override
        public void rollback(TransactionContext context) {
            manager.rollback(status(context.transaction()));
        }

        private static TransactionStatus status(@Nullable Transaction transaction) {
            if (transaction instanceof Begun begun) {
                return begun.status();
            }
            throw new IllegalStateException("not begun");
        }
    }

    /** Does the work in a transaction, which is rolled back if it throws. */
    void run(int propagation, Runnable work) {
        TransactionTemplate template = new TransactionTemplate(manager);
        template.setPropagationBehavior(propagation);
        template.executeWithoutResult(status -> work.run());
    }
}
