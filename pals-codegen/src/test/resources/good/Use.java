package good;

import dev.pals.key.LockDeclaration;
import dev.pals.key.LockFamily;
import dev.pals.key.LockKey;
import java.util.UUID;

/** The types of what is generated. */
class Use {
    LockKey plain = PlainKeys.INVOICE_RUN;
    LockKey plainByConstant = PlainKeys.of(Plain.INVOICE_RUN);
    LockKey byLong = FamiliesKeys.ACCOUNT.of(42L);
    LockKey byInteger = FamiliesKeys.BRANCH.of(42);
    LockKey byString = FamiliesKeys.CUSTOMER.of("ann");
    LockKey byUuid = FamiliesKeys.PAYMENT.of(UUID.randomUUID());
    LockFamily<Long> familyByConstant = OnlyAccountsKeys.of(OnlyAccounts.GIRO);
    LockDeclaration eitherByConstant = FamiliesKeys.of(Families.ACCOUNT);
}
