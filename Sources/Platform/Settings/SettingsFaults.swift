/// Everything wrong with the settings, found in one go.
public struct SettingsFaults: Error, Sendable, CustomStringConvertible {
    public let faults: [SettingFault]

    /// One line for each fault, under a line that counts them; never a secret.
    public var description: String {
        let count = faults.count == 1 ? "1 setting needs" : "\(faults.count) settings need"
        return (["\(count) attention:"] + faults.map { "  \($0)" }).joined(separator: "\n")
    }
}

/// One thing wrong with one setting.
public struct SettingFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The variable, or the place in a file when there is no variable to name.
    public let name: String
    /// What was there: a value in backticks, of secrets only the length, or words.
    public let found: String
    /// One sentence that says what to do.
    public let repair: String

    public var description: String { "\(name): found \(found). \(repair)" }
}

/// How a value is shown to people.
enum Shown {
    /// Secrets by their length; other texts without control characters, credentials within URLs, and excess.
    static func value(_ text: String, isSecret: Bool) -> String {
        isSecret ? Secret(text).description : shortened(withoutCredentials(printable(text)))
    }

    static func quoted(_ text: String) -> String { "`\(text)`" }

    private static func printable(_ text: String) -> String {
        String(text.map { $0.isNewline || String($0).hasControlCharacters ? "\u{FFFD}" : $0 })
    }

    /// `postgres://name:password@host/data?password=…` becomes `postgres://…@host/data?…`.
    /// A password may itself hold an `@`, so the last one counts.
    private static func withoutCredentials(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        var rest = text[scheme.upperBound...]
        if let query = rest.firstIndex(of: "?") { rest = rest[...query] + "…" }
        if let at = rest.lastIndex(of: "@") { rest = "…" + rest[at...] }
        return String(text[..<scheme.upperBound] + rest)
    }

    private static func shortened(_ text: String) -> String {
        text.count > 120 ? "\(text.prefix(119))…" : text
    }
}
