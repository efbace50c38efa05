import Foundation

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
        isSecret ? (text.isEmpty ? "" : Secret(text).description) : shortened(withoutCredentials(printable(text)))
    }

    static func quoted(_ text: String) -> String { "`\(text)`" }

    private static func printable(_ text: String) -> String {
        String(text.map { $0.isNewline || String($0).hasControlCharacters ? "\u{FFFD}" : $0 })
    }

    /// `postgres://name:password@host/data?password=…` becomes `postgres://…@host/data?…`.
    /// A text that may be misspelt shows less rather than more: a password may itself hold an `@` or a `?`, or lack its `@`.
    static func withoutCredentials(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") ?? (text.contains("@") ? text.firstRange(of: ":") : nil) else {
            return withoutPassword(text)
        }
        let rest = text[scheme.upperBound...]
        return text[..<scheme.upperBound] + place(rest, query: rest.firstIndex(of: "?") ?? rest.endIndex)
    }

    private static func place(_ rest: Substring, query: String.Index) -> String {
        let parameters = query == rest.endIndex ? "" : "?…"
        guard let at = rest.lastIndex(of: "@") else { return withoutStrangePort(rest[..<query]) + parameters }
        return at < query ? "…" + rest[at..<query] + parameters : "…"
    }

    /// Where there is no `@`, what follows the host may be its port, or a password.
    private static func withoutStrangePort(_ rest: Substring) -> String {
        let host = rest.prefix { $0 != ":" && $0 != "/" && $0 != "[" }
        guard rest[host.endIndex...].hasPrefix(":") else { return String(rest) }
        let port = rest[host.endIndex...].dropFirst().prefix { $0 != "/" && $0 != "," }
        return port.isEmpty || WholeNumber.read(port) != nil ? String(rest) : host + ":…"
    }

    /// `host=db password=hunter2` is another way of libpq's.
    private static func withoutPassword(_ text: String) -> String {
        guard let name = text.range(of: "password", options: .caseInsensitive) else { return text }
        return text[..<name.upperBound] + "…"
    }

    private static func shortened(_ text: String) -> String {
        text.count > 120 ? "\(text.prefix(119))…" : text
    }
}
