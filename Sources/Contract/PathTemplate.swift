import MartletCore

/// A path with named places, and the names that may follow as query parameters: `/api/v1/bookmarks/{id}` or `/login{?cookie}` (RFC 6570).
public struct PathTemplate: Sendable, Hashable, CustomStringConvertible {
    public enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
    }

    public let segments: [Segment]
    /// Query parameters of an endpoint whose other fields travel in the body.
    public let queryNames: [String]
    /// The path as OpenAPI writes it.
    public let path: String

    /// Traps on a template that is not one: it is a literal in a declaration.
    public init(_ template: String) {
        let parts = template.split(separator: "{?", maxSplits: 1)
        path = String(parts[0])
        queryNames = parts.count == 1 ? [] : parts[1].dropLast().split(separator: ",").map(String.init)
        segments = path.split(separator: "/").map { segment in
            segment.hasPrefix("{") ? .parameter(String(segment.dropFirst().dropLast())) : .literal(String(segment))
        }
        precondition(path.hasPrefix("/"), "A path template starts with a slash: \(template)")
    }

    public var parameterNames: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    public var description: String { path }

    /// The path with its places filled in; `nil` when a value is missing.
    public func expanded(with values: [String: String]) -> String? {
        var result = ""
        for segment in segments {
            switch segment {
            case .literal(let text): result += "/" + text
            case .parameter(let name):
                guard let value = values[name] else { return nil }
                result += "/" + PercentEncoding.encode(value)
            }
        }
        return result.isEmpty ? "/" : result
    }
}

/// Percent-encoding of single path segments and query values (RFC 3986 §2.1).
public enum PercentEncoding {
    /// Escapes everything but unreserved characters.
    public static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if byte.isLetterOrDigit || "-._~".utf8.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads escapes, and `+` as a space where that is the custom (queries); `nil` for a broken escape or text that is not UTF-8.
    public static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst()?.hexadecimalDigit, let low = rest.popFirst()?.hexadecimalDigit else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
