import Foundation

/// What the text of a setting may be, and the value it stands for.
struct Kind<Value: Sendable>: Sendable {
    /// For the documentation, such as `integer 0–65535`.
    let type: String
    let parse: @Sendable (String, WorkingFolder) throws(Refusal) -> Value
    let write: @Sendable (Value) -> String

    init(
        _ type: String, write: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (String, WorkingFolder) throws(Refusal) -> Value
    ) {
        self.type = type
        self.write = write
        self.parse = parse
    }

    /// A kind whose every refusal is mended in the same way; `read` answers `nil` for what it cannot read.
    init(_ type: String, expected: String, write: @escaping @Sendable (Value) -> String, read: @escaping @Sendable (String) -> Value?) {
        self.init(type, write: write) { (text, _) throws(Refusal) in
            guard let value = read(text) else { throw Refusal(repair: "Give \(expected).") }
            return value
        }
    }

    /// The same, where an empty text stands for nothing.
    var optional: Kind<Value?> {
        Kind<Value?>(type, write: { $0.map(write) ?? "" }) { (text, folder) throws(Refusal) in
            text.isEmpty ? nil : try parse(text, folder)
        }
    }
}

/// A text that is not what a setting may be, and the sentence that says how to mend it.
struct Refusal: Error {
    let repair: String
}

extension Kind where Value == Bool {
    static var boolean: Kind {
        Kind("boolean", expected: "true or false (also 1, 0, yes, no, on, off)", write: { $0 ? "true" : "false" }) { text in
            switch text.lowercased() {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: nil
            }
        }
    }
}

extension Kind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Kind {
        let limits = "\(range.lowerBound)–\(range.upperBound)"
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Kind("integer \(limits)", expected: expected, write: { "\($0)" }) { text in
            WholeNumber.read(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Kind where Value: RawRepresentable<String> & CaseIterable {
    static func choice(of type: Value.Type) -> Kind {
        let words = Value.allCases.map(\.rawValue)
        let type = words.map { "`\($0)`" }.joined(separator: ", ")
        return Kind(type, expected: "one of \(words.joined(separator: ", "))", write: \.rawValue) { Value(rawValue: $0.lowercased()) }
    }
}

extension Kind where Value == String {
    static func text(upTo length: Int) -> Kind {
        Kind("text, up to \(length) characters", expected: "1 to \(length) characters without control characters", write: { $0 }) { text in
            (1...length).contains(text.count) && !text.hasControlCharacters ? text : nil
        }
    }

    /// An IP address or a host name; whether it can be listened on is seen when the server starts.
    static var host: Kind {
        Kind("address", expected: "an IP address such as 127.0.0.1 or ::, or a host name", write: { $0 }) { text in
            let allowed = text.utf8.allSatisfy { HostText.isName($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "%") }
            return allowed && (1...255).contains(text.utf8.count) ? text : nil
        }
    }
}

extension Kind where Value == Secret {
    static var secret: Kind {
        Kind("secret", expected: "at least one character", write: { _ in "" }) { $0.isEmpty ? nil : Secret($0) }
    }
}

/// Decimal digits and nothing else: no sign, no spaces, no other script's digits, nothing that overflows.
enum WholeNumber {
    static func read(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(text)
    }

    static func multiply(_ number: Int, _ factor: Int) -> Int? {
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

extension String {
    var hasControlCharacters: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }
}
