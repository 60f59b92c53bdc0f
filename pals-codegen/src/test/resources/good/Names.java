package good;

import dev.pals.key.LockApp;
import dev.pals.key.LockName;

@LockApp("say \"hi\" & <b>\\u0041</b> */ {@link nothing}")
enum Names {
    @LockName("say \"hi\"")
    QUOTES,
    @LockName("back\\slash \\u0041")
    BACKSLASH,
    @LockName("comment */ end /* and start // and line")
    COMMENT_END,
    @LockName("<script>&amp;</script> {@code @see}")
    MARKUP,
    @LockName("percent %s %n %1$d")
    PERCENT,
    @LockName("za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144")
    ZAZOLC,
    @LockName("emoji \uD83D\uDD12")
    EMOJI,
    @LockName("\u05e9\u05dc\u05d5\u05dd \u202eright to left\u202c")
    RIGHT_TO_LEFT,
    @LockName("tab\tnew line\n\u0001 and \1777")
    CONTROL,
    @LockName("line \u2028 separators \u0085 inside")
    LINE_SEPARATORS
}
