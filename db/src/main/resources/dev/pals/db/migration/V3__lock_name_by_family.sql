-- Finds the families whose ids can give a key: those whose upper 24 bits are the key's, or the opposite ones.
create index lock_name_by_family on pals.lock_name ((lock_hash >> 40)) where numeric_family;
