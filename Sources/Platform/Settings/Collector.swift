import Foundation

/// Where a collector of telemetry is: an origin, and perhaps a path that what it takes is found below.
public struct CollectorURL: Sendable, Hashable, CustomStringConvertible {
    public let origin: WebOrigin
    /// Without a slash at the end; empty for none.
    public let path: String

    /// Reads `http://127.0.0.1:4318` or `https://example.org/otlp`; `nil` for one with a login, a query or other characters than names have.
    public init?(_ text: String) {
        let scheme = text.prefix { $0 != ":" }
        let authority = text.dropFirst(scheme.count + 3).prefix { $0 != "/" }
        var path = text[authority.endIndex...]
        while path.hasSuffix("/") { path = path.dropLast() }
        guard let origin = WebOrigin(String(text[..<authority.endIndex])),
            path.utf8.allSatisfy({ HostText.isName($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "~") })
        else { return nil }
        (self.origin, self.path) = (origin, String(path))
    }

    /// The whole address of something below it, such as `/v1/traces`.
    public func address(of place: String) -> String { description + place }

    public var description: String { "\(origin)\(path)" }
}

/// Header fields for a collector. They may hold a token: nothing shows them.
public struct CollectorFields: Sendable {
    private let fields: @Sendable () -> [(name: String, value: String)]

    /// Reads `name=value,name=value` (W3C Baggage, as OpenTelemetry writes it), values percent-encoded; `nil` for anything else.
    public init?(_ text: String) {
        var fields: [(name: String, value: String)] = []
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = String(pair[1].trimmed).removingPercentEncoding else { return nil }
            let name = pair[0].trimmed
            guard Self.isName(name), Self.isValue(value) else { return nil }
            fields.append((String(name), value))
        }
        guard !fields.isEmpty else { return nil }
        self.fields = { [fields] in fields }
    }

    /// The fields themselves. Do not let them reach a log, an error or an answer.
    public func unsafeReveal() -> [(name: String, value: String)] { fields() }

    private static func isName(_ name: some StringProtocol) -> Bool { !name.isEmpty && name.utf8.allSatisfy(HostText.isName) }
    private static func isValue(_ value: String) -> Bool { value.utf8.allSatisfy { (0x20...0x7E).contains($0) } }
}

extension CollectorFields: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "set (\(fields().count) fields)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Kind where Value == CollectorURL {
    static var collectorURL: Kind {
        Kind(
            "URL", expected: "http:// or https://, a host, perhaps a port and a path, and no login or query", write: \.description,
            read: CollectorURL.init)
    }
}

extension Kind where Value == CollectorFields {
    static var collectorFields: Kind {
        Kind("secret fields", expected: "name=value pairs, separated by commas", write: { _ in "" }, read: CollectorFields.init)
    }
}

extension Kind where Value == Double {
    static var ratio: Kind {
        Kind("number 0–1", expected: "a number from 0 to 1, such as 0.01", write: { "\($0)" }) { text in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }), let ratio = Double(text) else {
                return nil
            }
            return (0...1).contains(ratio) ? ratio : nil
        }
    }
}
