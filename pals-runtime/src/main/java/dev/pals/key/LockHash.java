package dev.pals.key;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * The hash that turns names into PostgreSQL's 64-bit keys: the first 8 bytes of the SHA-1 of the UTF-8 text, read
 * little-endian as a signed number. It is the number that PALs for Python computes, so that programs in both languages
 * can guard the same thing.
 *
 * <p>SHA-1 serves here to spread names, not to resist an attacker. Stateless and thread-safe.
 */
public final class LockHash {
    private LockHash() {}

    /**
     * Returns the hash of a text, which may be empty.
     *
     * @throws InvalidLockNameException if the text is no valid Unicode (an unpaired surrogate), which has no UTF-8 form
     */
    public static long of(String text) {
        try {
            ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(utf8);
            return ByteBuffer.wrap(sha1.digest()).order(ByteOrder.LITTLE_ENDIAN).getLong();
        } catch (CharacterCodingException e) {
            throw new InvalidLockNameException(shown(text)
                    + " has an unpaired surrogate and so no UTF-8 form to hash. Names must be valid Unicode.");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("Every Java platform has SHA-1", e);
        }
    }

    /** Returns the hash of a lock's name within an application, {@code null} for none. */
    static long of(@Nullable String app, String name) {
        return of(app == null ? name : app + "." + name);
    }

    /**
     * Checks a name and returns it unchanged.
     *
     * @param what the noun for the message, such as "lock name"
     * @throws InvalidLockNameException if it is null, blank, or has a NUL character, which PostgreSQL's text cannot
     *     hold
     */
    static String checkedName(String what, @Nullable String name) {
        if (name == null) {
            throw new InvalidLockNameException("The " + what + " is null. Give it a name.");
        }
        if (name.isBlank()) {
            throw new InvalidLockNameException(
                    "The " + what + " " + shown(name) + " is blank. Give it at least one visible character.");
        }
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
            throw new InvalidLockNameException("The " + what + " " + shown(name)
                    + " has an unpaired surrogate and so no UTF-8 form to hash. Use valid Unicode.");
        }
        if (name.indexOf('\0') >= 0) {
            throw new InvalidLockNameException("The " + what + " " + shown(name)
                    + " has a NUL character, which PostgreSQL's text type cannot hold. Remove it.");
        }
        return name;
    }

    /** The name in quotes, short enough for a message, with control characters made visible. */
    private static String shown(String name) {
        String head = name.length() > 60 ? name.substring(0, 60) + "..." : name;
        StringBuilder shown = new StringBuilder("\"");
        head.chars().forEach(c -> {
            if (Character.isISOControl(c) || Character.isSurrogate((char) c)) {
                shown.append(String.format("\\u%04x", c));
            } else {
                shown.append((char) c);
            }
        });
        return shown.append('"').toString();
    }
}
