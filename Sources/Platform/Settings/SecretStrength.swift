extension Secret {
    /// Why the secret must not guard anything real, as the sentence that mends it; `nil` when it will do.
    ///
    /// 32 bytes are the least for HS256 (RFC 7518 §3.2). Guesses cost nothing offline, so texts that people copy from
    /// examples or type with one finger are refused whatever their length.
    var weakness: String? {
        let text = unsafeReveal()
        let command = "make one with `openssl rand -base64 48`"
        if text.utf8.count < 32 { return "Give at least 32 bytes; \(command)." }
        if Self.isKnown(text) { return "This one is known from examples; \(command)." }
        if Self.isRepetitive(text) { return "This one can be guessed because it repeats itself; \(command)." }
        return nil
    }

    private static func isKnown(_ text: String) -> Bool {
        let letters = text.lowercased().filter { $0.isLetter || $0.isNumber }
        return knownFragments.contains { letters.contains($0) }
    }

    /// A shorter text written again and again, or hardly any different characters. A random text of 32 hexadecimal digits,
    /// the plainest there is, has 14 different ones and fewer than 8 once in 10⁸ times.
    private static func isRepetitive(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let repeats = (1...max(1, bytes.count / 2)).contains { bytes.dropFirst($0).elementsEqual(bytes.dropLast($0)) }
        return repeats || Set(bytes).count < 8
    }

    /// Compared without case and punctuation. Long enough not to turn up in a random text.
    private static let knownFragments = [
        "changeme", "changethis", "changeit", "replaceme", "replacethis", "pleasechange", "yoursecret", "yoursupersecret", "yourjwt",
        "yourkey", "your256bitsecret", "mysecret", "supersecret", "topsecret", "secretkey", "jwtsecret", "secretvalue", "insecure",
        "notasecret", "notsecret", "placeholder", "password", "letmein", "qwertyuiop", "developmentsecret", "devsecret", "testsecret",
        "thisisasecret", "examplesecret", "defaultsecret", "donotuse", "keyboardcat", "stringsecretatleast256bits", "1234567890123456",
        // Printed in tutorials of web frameworks and therefore in use.
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "0123456789abcdef0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz",
    ]
}
