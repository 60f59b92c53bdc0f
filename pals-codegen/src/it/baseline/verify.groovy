assert new File(basedir, 'pals-locks.tsv').readLines().findAll { !it.startsWith('#') } ==
    ['billing\tinvoice-run\tplain\t6451536150896405195\tit.BillingLock.INVOICE_RUN']
String log = new File(basedir, 'build.log').text
assert log.contains('1 lock keys written to')
assert log =~ /BillingLock\.java:\[8,15\] \[PalsBaselineChanged\] The lock "billing\.invoice-run" of it\.BillingLock\.INVOICE_RUN/
