/// A form with files as browsers and curl send it: `multipart/form-data` (RFC 7578, framed by RFC 2046 §5.1).
///
/// Works on a complete body in one pass; the parts are slices of it, not copies. Strict where readers could disagree about what was sent:
/// the boundary must close the body, lines end with CR LF, and every part says its name.
public struct Multipart: Sendable {
    /// One field or file of the form.
    public struct Part: Sendable, Equatable {
        /// The form field's name.
        public var name: String
        /// The file's name as the sender wrote it: never a path to be trusted. `nil` for a plain field.
        public var filename: String?
        /// The `Content-Type`, without its parameters and in lower case; `nil` when the part gives none, which means `text/plain`.
        public var contentType: String?
        /// The content: a slice of the body.
        public var body: ArraySlice<UInt8>
    }

    /// Parts beyond this number make the body malformed.
    public static let maximumParts = 16
    /// The most bytes that the headers of one part may take.
    public static let maximumHeaderBytes = 8_192

    /// In the order of the body; never empty.
    public let parts: [Part]

    /// Reads a whole body; linear in its size.
    ///
    /// - Parameter contentType: the request's `Content-Type`, such as `multipart/form-data; boundary=x`.
    public init(_ body: ArraySlice<UInt8>, contentType: String) throws(Malformed) {
        var reader = MultipartReader(body, boundary: try Self.boundary(in: contentType))
        parts = try reader.parts()
    }

    /// Reads a whole body that is an array.
    public init(_ body: [UInt8], contentType: String) throws(Malformed) {
        try self.init(body[...], contentType: contentType)
    }

    /// The first part with this field name.
    public func part(named name: String) -> Part? {
        parts.first { $0.name == name }
    }

    /// What is wrong with a body; each has a sentence for the caller.
    public enum Malformed: String, Error, Sendable, CaseIterable {
        case notFormData, noBoundary, invalidBoundary, noParts, cutOff, tooManyParts, headersTooLarge, malformedHeader, unnamedPart, nested

        /// One sentence for the caller.
        public var message: String {
            switch self {
            case .notFormData: "The content type must be multipart/form-data."
            case .noBoundary: "The content type of a multipart body must name its boundary."
            case .invalidBoundary: "The boundary must be given once, and have 1 to 70 of the characters that RFC 2046 allows."
            case .noParts: "The multipart body has no part: its boundary was not found."
            case .cutOff: "The multipart body is cut off: its closing boundary is missing."
            case .tooManyParts: "A multipart body can have at most \(Multipart.maximumParts) parts."
            case .headersTooLarge: "The headers of a part can have at most \(Multipart.maximumHeaderBytes) bytes."
            case .malformedHeader: "A part of the multipart body has a malformed header."
            case .unnamedPart: "Every part needs a Content-Disposition of form-data with a name."
            case .nested: "A part cannot be multipart itself."
            }
        }
    }

    private static func boundary(in contentType: String) throws(Malformed) -> String {
        guard contentType.utf8.count <= maximumHeaderBytes, let value = HeaderValue(contentType), value.name == "multipart/form-data" else {
            throw .notFormData
        }
        let given = value.parameters.filter { $0.name == "boundary" }
        guard let boundary = given.first?.value else { throw .noBoundary }
        let isWellFormed =
            (1...70).contains(boundary.utf8.count) && boundary.utf8.allSatisfy(isBoundaryCharacter) && !boundary.hasSuffix(" ")
        guard given.count == 1, isWellFormed else { throw .invalidBoundary }
        return boundary
    }

    private static let boundaryMarks = Set("'()+_,-./:=? ".utf8)

    private static func isBoundaryCharacter(_ byte: UInt8) -> Bool {
        byte.isASCIIAlphanumeric || boundaryMarks.contains(byte)
    }
}

// MARK: - Framing

/// Walks over the body from one delimiter to the next.
private struct MultipartReader {
    private var rest: ArraySlice<UInt8>
    /// `CR LF -- boundary`
    private let delimiter: [UInt8]

    init(_ body: ArraySlice<UInt8>, boundary: String) {
        rest = body
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    mutating func parts() throws(Multipart.Malformed) -> [Multipart.Part] {
        guard var delimiter = firstDelimiter() else { throw .noParts }
        var parts: [Multipart.Part] = []
        while !delimiter.isClosing {
            guard parts.count < Multipart.maximumParts else { throw .tooManyParts }
            let headers = try PartHeaders(takeHeaders())
            guard let next = nextDelimiter() else { throw .cutOff }
            parts.append(.init(name: headers.name, filename: headers.filename, contentType: headers.contentType, body: next.before))
            delimiter = next
        }
        guard !parts.isEmpty else { throw .noParts }
        return parts
    }

    private struct Delimiter {
        var before: ArraySlice<UInt8>
        var isClosing: Bool
    }

    /// The first one may open the body; what stands before it is a preamble that readers ignore.
    private mutating func firstDelimiter() -> Delimiter? {
        if rest.starts(with: delimiter.dropFirst(2)), let end = delimiterEnd(from: rest.startIndex + delimiter.count - 2) {
            return take(until: rest.startIndex, end)
        }
        return nextDelimiter()
    }

    /// A delimiter has a carriage return only at its start, so a failed comparison never needs to step back: the search is linear.
    private mutating func nextDelimiter() -> Delimiter? {
        var index = rest.startIndex
        while index < rest.endIndex {
            let matched = delimiterBytes(at: index)
            if matched == delimiter.count, let end = delimiterEnd(from: index + matched) { return take(until: index, end) }
            index += max(1, matched)
        }
        return nil
    }

    /// How many of the delimiter's first bytes stand here.
    private func delimiterBytes(at start: Int) -> Int {
        var count = 0
        while count < delimiter.count, start + count < rest.endIndex, rest[start + count] == delimiter[count] { count += 1 }
        return count
    }

    private mutating func take(until start: Int, _ end: (index: Int, isClosing: Bool)) -> Delimiter {
        defer { rest = rest[end.index...] }
        return Delimiter(before: rest[..<start], isClosing: end.isClosing)
    }

    /// After the boundary: `--` at the end, else optional blanks and a line end. Anything else is a longer text that only begins
    /// like the boundary.
    private func delimiterEnd(from index: Int) -> (index: Int, isClosing: Bool)? {
        let after = rest[index...]
        if after.starts(with: "--".utf8) { return (index + 2, true) }
        let line = after.prefix(Multipart.maximumHeaderBytes).drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return line.starts(with: "\r\n".utf8) ? (line.startIndex + 2, false) : nil
    }

    /// The header lines, each with its line end, and past the empty line after them.
    private mutating func takeHeaders() throws(Multipart.Malformed) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var budget = Multipart.maximumHeaderBytes
        while true {
            guard let end = rest.prefix(budget).firstIndex(of: UInt8(ascii: "\n")) else {
                throw rest.count < budget ? .cutOff : .headersTooLarge
            }
            let line = rest[..<end]
            guard line.last == UInt8(ascii: "\r") else { throw .malformedHeader }
            budget -= line.count + 1
            rest = rest[(end + 1)...]
            if line.count == 1 { return lines }
            lines.append(line.dropLast())
        }
    }
}

// MARK: - Headers

private struct PartHeaders {
    private(set) var name = ""
    private(set) var filename: String?
    private(set) var contentType: String?
    private var seen: Set<String> = []

    init(_ lines: [ArraySlice<UInt8>]) throws(Multipart.Malformed) {
        for line in lines { try read(line) }
        guard seen.contains("content-disposition") else { throw .unnamedPart }
    }

    private mutating func read(_ line: ArraySlice<UInt8>) throws(Multipart.Malformed) {
        guard let text = String(validating: line, as: UTF8.self), let colon = text.firstIndex(of: ":"),
            !text.utf8.contains(where: \.isControl)
        else { throw .malformedHeader }
        let name = text[..<colon].lowercased()
        guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenCharacter) else { throw .malformedHeader }
        let value = String(text[text.index(after: colon)...])
        switch name {
        case "content-disposition": try readDisposition(value)
        case "content-type": try readContentType(value)
        default: return
        }
        guard seen.insert(name).inserted else { throw .malformedHeader }
    }

    /// `filename*` must not be sent in forms (RFC 7578 §4.2) and is ignored.
    private mutating func readDisposition(_ text: String) throws(Multipart.Malformed) {
        guard let value = HeaderValue(text) else { throw .malformedHeader }
        let names = value.parameters.filter { $0.name == "name" }
        let filenames = value.parameters.filter { $0.name == "filename" }
        guard value.name == "form-data", let name = names.first?.value else { throw .unnamedPart }
        guard names.count == 1, filenames.count <= 1 else { throw .malformedHeader }
        (self.name, filename) = (name, filenames.first?.value)
    }

    private mutating func readContentType(_ text: String) throws(Multipart.Malformed) {
        guard let value = HeaderValue(text) else { throw .malformedHeader }
        guard !value.name.hasPrefix("multipart/") else { throw .nested }
        contentType = value.name
    }
}

/// A header's value with parameters: `form-data; name="a b"; filename=c` (RFC 9110 §5.6.6).
private struct HeaderValue {
    /// In lower case.
    var name: String
    /// Names in lower case.
    var parameters: [(name: String, value: String)] = []

    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let name = Self.takeWord(&rest) else { return nil }
        self.name = name.lowercased()
        while true {
            Self.skipBlanks(&rest)
            guard let separator = rest.popFirst() else { return }
            guard separator == UInt8(ascii: ";") else { return nil }
            Self.skipBlanks(&rest)
            if rest.isEmpty || rest.first == UInt8(ascii: ";") { continue }
            guard let key = Self.takeWord(&rest), rest.popFirst() == UInt8(ascii: "="), let value = Self.takeValue(&rest) else {
                return nil
            }
            parameters.append((key.lowercased(), value))
        }
    }

    private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// A token, or two with a slash between.
    private static func takeWord(_ rest: inout ArraySlice<UInt8>) -> String? {
        skipBlanks(&rest)
        let word = rest.prefix { $0.isTokenCharacter || $0 == UInt8(ascii: "/") }
        rest = rest[word.endIndex...]
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }

    /// Without quotes, whatever stands before the next `;` or blank: senders leave them out around more than tokens.
    private static func takeValue(_ rest: inout ArraySlice<UInt8>) -> String? {
        if rest.first == UInt8(ascii: "\"") { return takeQuoted(&rest) }
        let value = rest.prefix {
            $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\"")
        }
        rest = rest[value.endIndex...]
        return value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
    }

    /// A backslash escapes only a quote and itself, since some browsers send Windows paths with bare backslashes.
    private static func takeQuoted(_ rest: inout ArraySlice<UInt8>) -> String? {
        rest.removeFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
            let isEscape = byte == UInt8(ascii: "\\") && (rest.first == UInt8(ascii: "\"") || rest.first == byte)
            value.append(isEscape ? rest.popFirst() ?? byte : byte)
        }
        return nil
    }
}

extension UInt8 {
    fileprivate var isASCIIAlphanumeric: Bool {
        (self >= 0x30 && self <= 0x39) || ((self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A)
    }

    /// RFC 9110 §5.6.2.
    fileprivate var isTokenCharacter: Bool { isASCIIAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(self) }

    /// All but the tab, which may stand between words.
    fileprivate var isControl: Bool { (self < 0x20 && self != 0x09) || self == 0x7F }
}
