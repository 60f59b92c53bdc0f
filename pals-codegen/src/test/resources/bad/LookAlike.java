package bad;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("billing")
enum LookAlike {
    @LockName("invoice-run")
    INVOICE_RUN,
    @LockName("Invoice-Run") // [PalsLookAlike] "billing.Invoice-Run" (bad.LookAlike.CASE) looks like "billing.invoice-run" (bad.LookAlike.INVOICE_RUN),
    CASE,
    @LockName("invoice_run") // [PalsLookAlike] "billing.invoice_run" (bad.LookAlike.SEPARATOR) looks like "billing.invoice-run" (bad.LookAlike.INVOICE_RUN),
    SEPARATOR,
    @LockName("invoice\u2010run") // [PalsLookAlike] "billing.invoice\u2010run" (bad.LookAlike.UNICODE_HYPHEN) looks like "billing.invoice-run" (bad.LookAlike.INVOICE_RUN),
    UNICODE_HYPHEN,
    @LockName("invoice\u200b-run") // [PalsLookAlike] "billing.invoice\u200b-run" (bad.LookAlike.ZERO_WIDTH_SPACE) looks like "billing.invoice-run" (bad.LookAlike.INVOICE_RUN),
    ZERO_WIDTH_SPACE,
    @LockName("za\u017c\u00f3\u0142\u0107")
    COMPOSED,
    @LockName("zaz\u0307o\u0301\u0142c\u0301") // [PalsLookAlike] "billing.za
    DECOMPOSED,
    @LockName(value = "report-run", formerly = "report_run")
    MENDED
}
