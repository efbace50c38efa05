import Foundation

/// The text of a `.env` file: `NAME=value` lines, comments, quotes and `export`; nothing is expanded or run.
///
/// swift-configuration's own reader passes over what it cannot read; here a broken line is a fault, without its text,
/// because that may be half a secret.
struct EnvironmentFile {
    private(set) var values: [String: String] = [:]
    private(set) var brokenLines: [(number: Int, repair: String)] = []

    /// The last of several lines for one name counts, as in a shell.
    init(_ text: String) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            do {
                guard let (name, value) = try Self.assignment(String(line).trimmed) else { continue }
                values[name] = value
            } catch {
                brokenLines.append((index + 1, error.repair))
            }
        }
    }

    private static func assignment(_ line: String) throws(Refusal) -> (name: String, value: String)? {
        guard !line.isEmpty, !line.hasPrefix("#") else { return nil }
        let assignment = line.hasPrefix("export ") ? line.dropFirst("export ".count) : line[...]
        guard let equals = assignment.firstIndex(of: "=") else { throw Refusal(repair: "Write NAME=value, or # before a comment.") }
        let name = assignment[..<equals].trimmed
        guard isName(name) else { throw Refusal(repair: "Use only letters, digits and _ in the name before the = sign.") }
        return (name, try value(assignment[assignment.index(after: equals)...].trimmed))
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.first, !first.isNumber else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private static func value(_ text: String) throws(Refusal) -> String {
        guard let quote = text.first, quote == "\"" || quote == "'" else { return unquoted(text) }
        let (value, rest) = try quoted(text.dropFirst(), by: quote)
        guard rest.trimmed.isEmpty || rest.trimmed.hasPrefix("#") else {
            throw Refusal(repair: "Put nothing but a comment after the closing quote.")
        }
        return value
    }

    /// A `#` starts a comment only after a space: `a#b` is a value.
    private static func unquoted(_ text: String) -> String {
        if text.hasPrefix("#") { return "" }
        let comment = text.firstRange(of: " #") ?? text.firstRange(of: "\t#")
        return comment.map { text[..<$0.lowerBound].trimmed } ?? text
    }

    /// Single quotes keep every character; in double quotes a backslash escapes.
    private static func quoted(_ text: Substring, by quote: Character) throws(Refusal) -> (value: String, rest: Substring) {
        var value = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == quote { return (value, rest) }
            guard character == "\\", quote == "\"", let escaped = rest.popFirst() else {
                value.append(character)
                continue
            }
            value.append(escapes[escaped] ?? "\\\(escaped)")
        }
        throw Refusal(repair: "Close the quote on the same line.")
    }

    private static let escapes: [Character: String] = ["n": "\n", "r": "\r", "t": "\t", "\\": "\\", "\"": "\"", "$": "$"]
}

extension StringProtocol {
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
