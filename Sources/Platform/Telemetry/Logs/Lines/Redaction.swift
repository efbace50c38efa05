/// What stands in for secrets: a net below the rule that they are never given to the log.
///
/// Names that speak of secrets lose their value. In texts, tokens that look like a JWT (RFC 7519), credentials of `Bearer` and `Basic`
/// (RFC 9110 §11.4), passwords of URLs (RFC 3986 §3.2.1) and `password=…` are masked.
package enum Redaction {
    package static let mask = "‹redacted›"

    /// Whether a field of that name may hold a secret.
    package static func isSecret(_ name: String) -> Bool { isSecret(Array(name.utf8)[...]) }

    static func isSecret(_ name: ArraySlice<UInt8>) -> Bool {
        let word = name.compactMap { byte -> UInt8? in
            byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: " ") ? nil : lowered(byte)
        }
        return exact.contains { word.elementsEqual($0) }
            || endings.contains { word.count >= $0.count && word.suffix($0.count).elementsEqual($0) }
    }

    private static let exact = ["key", "auth", "jwt", "pin", "otp"].map { Array($0.utf8) }
    private static let endings = [
        "authorization", "cookie", "cookies", "password", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "tokens", "apikey",
        "secretkey", "privatekey", "signingkey", "accesskey", "idempotencykey", "credential", "credentials",
    ].map { Array($0.utf8) }

    /// The text without what looks like a secret.
    package static func masked(_ text: String) -> String {
        var text = text
        return text.withUTF8 { masked($0) }.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// The text without what looks like a secret; `nil` when it holds none.
    static func masked(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var result: [UInt8]?
        var (copied, index) = (0, 0)
        while index < text.count {
            if let secret = secret(in: text, at: index), secret.lowerBound >= copied {
                result = (result ?? []) + text[copied..<secret.lowerBound] + mask.utf8
                (copied, index) = (secret.upperBound, secret.upperBound)
            } else {
                index += 1
            }
        }
        return result.map { $0 + text[copied...] }
    }

    /// Where a secret lies that this byte gives away.
    @inline(__always)
    private static func secret(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> Range<Int>? {
        switch text[index] {
        case UInt8(ascii: "e"): token(in: text, at: index)
        case UInt8(ascii: " "): credentials(in: text, at: index)
        case UInt8(ascii: ":"): userInformation(in: text, at: index) ?? member(in: text, at: index)
        case UInt8(ascii: "="): assigned(in: text, at: index)
        default: nil
        }
    }

    /// `eyJ`, as every base64 of `{"` begins, and what follows without a space.
    private static func token(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> Range<Int>? {
        guard index + 2 < text.count, text[index + 1] == UInt8(ascii: "y"), text[index + 2] == UInt8(ascii: "J") else { return nil }
        let end = self.end(in: text, from: index, while: isTokenByte)
        return end - index >= 16 ? index..<end : nil
    }

    private static func credentials(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> Range<Int>? {
        guard schemes.contains(where: { precedes($0, text, index) }) else { return nil }
        let end = self.end(in: text, from: index + 1, while: isTokenByte)
        return end - index > 6 ? index + 1..<end : nil
    }

    private static let schemes = ["bearer", "basic"].map { Array($0.utf8) }

    /// What stands between `://` and `@`.
    private static func userInformation(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> Range<Int>? {
        guard index + 2 < text.count, text[index + 1] == UInt8(ascii: "/"), text[index + 2] == UInt8(ascii: "/") else { return nil }
        let start = index + 3
        let end = self.end(in: text, from: start) { !isSpace($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        return text[start..<end].lastIndex(of: UInt8(ascii: "@")).map { start..<$0 }
    }

    /// What follows the `=` of `password=`, `?access_token=`, `"secret" = `.
    private static func assigned(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> Range<Int>? {
        var start = index
        while start > 0, isNameByte(text[start - 1]) { start -= 1 }
        guard start < index, isSecret(ArraySlice(text[start..<index])) else { return nil }
        let end = self.end(in: text, from: index + 1) { !isSpace($0) && $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: ";") }
        return end > index + 1 ? index + 1..<end : nil
    }

    /// What follows `"password":` in JSON.
    private static func member(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> Range<Int>? {
        guard index > 1, text[index - 1] == quote else { return nil }
        var name = index - 1
        while name > 0, isNameByte(text[name - 1]) { name -= 1 }
        guard isSecret(ArraySlice(text[name..<index - 1])) else { return nil }
        let start = end(in: text, from: index + 1) { $0 == UInt8(ascii: " ") || $0 == quote }
        let end = self.end(in: text, from: start) { $0 != quote && $0 != UInt8(ascii: "}") && $0 != UInt8(ascii: ",") }
        return end > start ? start..<end : nil
    }

    private static let quote = UInt8(ascii: "\"")

    private static func precedes(_ word: [UInt8], _ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        index >= word.count && zip(text[index - word.count..<index], word).allSatisfy { lowered($0) == $1 }
    }

    private static func end(in text: UnsafeBufferPointer<UInt8>, from start: Int, while holds: (UInt8) -> Bool) -> Int {
        var index = start
        while index < text.count, holds(text[index]) { index += 1 }
        return index
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
    private static func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }
    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(lowered(byte)) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(lowered(byte)) || (0x30...0x39).contains(byte) || "-._~+/=".utf8.contains(byte)
    }
}
