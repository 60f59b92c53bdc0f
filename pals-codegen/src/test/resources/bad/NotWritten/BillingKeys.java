package bad;

class BillingKeys {}
