import MartletCore

/// The parts of a request that an endpoint's input is read from, or written to.
public struct InputParts: Sendable {
    public var path: [(name: String, value: String)] = []
    public var query: [(name: String, value: String)] = []
    /// The parsed JSON body; `nil` when there was none.
    public var body: JSON?
    public var upload: Upload?

    public init() {}
}

/// How an endpoint's input is read from a request (by servers) and written to one (by clients).
public struct InputCodec<Input: Sendable>: Sendable {
    /// Throws a ``Failure`` that lists every fault.
    public let read: @Sendable (InputParts) throws -> Input
    public let write: @Sendable (Input) throws -> InputParts
}

extension InputCodec where Input: Codable {
    static func json(_ fields: [InputField]) -> InputCodec {
        let body = Schema.ObjectRule(name: "", fields: fields.filter { $0.location == .body }.map(\.field))
        return InputCodec(
            read: { parts in
                var reader = InputReader(fields, body: body)
                let document = try reader.document(parts)
                do {
                    return try WireJSON.decode(Input.self, from: document)
                } catch let fault as Fault {
                    throw Failure.invalid([fault])
                }
            },
            write: { input in
                try InputWriter.parts(of: WireJSON.parse(WireJSON.encode(input)), fields: fields)
            })
    }
}

extension InputCodec where Input == Upload {
    static var upload: InputCodec {
        InputCodec(
            read: { parts in
                guard parts.query.isEmpty else { throw Failure.invalid(parts.query.map { InputReader.unknown($0.name) }) }
                guard let upload = parts.upload, !upload.bytes.isEmpty else {
                    throw Failure.malformed("body_missing", "This request needs a body.")
                }
                return upload
            },
            write: { upload in
                var parts = InputParts()
                parts.upload = upload
                return parts
            })
    }
}

/// Brings path, query and body together into the one document that the input is decoded from, validating all of them.
private struct InputReader {
    private let fields: [InputField]
    private let rule: Schema.ObjectRule
    private var faults: [Fault] = []
    private var members: [JSON.Member] = []

    /// - Parameter body: The rule of those fields that are read from the body.
    init(_ fields: [InputField], body: Schema.ObjectRule) {
        (self.fields, rule) = (fields, body)
        members.reserveCapacity(fields.count)
    }

    mutating func document(_ parts: InputParts) throws(Failure) -> JSON {
        try readBody(parts.body)
        readParameters(parts.path, at: .path)
        readParameters(parts.query, at: .query)
        guard faults.isEmpty else { throw .invalid(faults) }
        return .object(members)
    }

    private mutating func readBody(_ body: JSON?) throws(Failure) {
        guard let body else {
            guard !rule.fields.contains(where: \.isRequired) else { throw .malformed("body_missing", "This request needs a JSON body.") }
            return
        }
        guard case .object(let given) = body else {
            faults.append(Fault(code: "wrong_type", message: "The body must be a JSON object, not \(body.kindInWords)."))
            return
        }
        rule.validate(given, at: "", into: &faults)
        members += given
    }

    private mutating func readParameters(_ values: [(name: String, value: String)], at location: InputField.Location) {
        for (index, value) in values.enumerated() {
            guard let field = fields.first(where: { $0.location == location && $0.field.name == value.name })?.field else {
                faults.append(Self.unknown(value.name))
                continue
            }
            guard !values[..<index].contains(where: { $0.name == value.name }) else {
                faults.append(Fault(pointer: value.name, code: "repeated", message: "This parameter must be given once."))
                continue
            }
            let json = field.schema.parameter(value.value)
            field.schema.validate(json, at: value.name, into: &faults)
            members.append(JSON.Member(value.name, json))
        }
        for field in fields
        where field.location == location && field.field.isRequired && !values.contains(where: { $0.name == field.field.name }) {
            faults.append(Fault(pointer: field.field.name, code: "missing", message: "This parameter is required."))
        }
    }

    static func unknown(_ name: String) -> Fault {
        Fault(pointer: String(name.prefix(100)), code: "unknown_parameter", message: "There is no such parameter.")
    }
}

extension Schema {
    /// What the text of a path or query parameter means here; text that does not fit stays a string, for the validation to refuse.
    fileprivate func parameter(_ text: String) -> JSON {
        switch shape {
        case .integer where Int(text) != nil, .number where Double(text)?.isFinite == true: .number(text)
        case .integer where text.isWholeNumber: .number(text)
        case .boolean where text == "true" || text.isEmpty: .bool(true)
        case .boolean where text == "false": .bool(false)
        default: .string(text)
        }
    }
}

extension String {
    /// Digits with an optional sign: a number, if perhaps one too large for `Int`.
    fileprivate var isWholeNumber: Bool {
        let digits = utf8.first == UInt8(ascii: "-") ? utf8.dropFirst() : utf8[...]
        return !digits.isEmpty && digits.count <= 40 && digits.allSatisfy(\.isDigit)
    }
}

extension APIOperation {
    /// A request that follows every rule of the declaration and has all its fields; an upload has none.
    public var example: InputParts {
        InputWriter.parts(of: .object(fields.map { JSON.Member($0.field.name, $0.field.schema.example) }), fields: fields)
    }
}

/// Spreads an encoded input over path, query and body.
private enum InputWriter {
    static func parts(of document: JSON, fields: [InputField]) -> InputParts {
        guard case .object(let members) = document else { return InputParts() }
        var parts = InputParts()
        var body: [JSON.Member] = []
        for member in members {
            switch fields.first(where: { $0.field.name == member.name })?.location {
            case .path: parts.path.append((member.name, text(member.value)))
            case .query: parts.query.append((member.name, text(member.value)))
            default: body.append(member)
            }
        }
        if fields.contains(where: { $0.location == .body }) { parts.body = .object(body) }
        return parts
    }

    private static func text(_ value: JSON) -> String {
        switch value {
        case .string(let text), .number(let text): text
        case .bool(let value): String(value)
        default: ""
        }
    }
}

/// How an endpoint's answer is written (by servers) and read (by clients).
public enum OutputCodec<Output: Sendable>: Sendable {
    case whole(encode: @Sendable (Output) throws -> [UInt8]?, decode: @Sendable ([UInt8]) throws -> Output)
    case stream(encode: @Sendable (Output) -> Document, decode: @Sendable (Document) -> Output)
    /// The success is one of the operation's two.
    case promised(
        encode: @Sendable (Output) throws -> (success: Success, bytes: [UInt8]), decode: @Sendable (Success, [UInt8]) throws -> Output)
    /// Servers write frames that they have encoded themselves.
    case events(decode: @Sendable (TextStream) -> Output)
}

extension OutputCodec where Output: Codable {
    static func json() -> OutputCodec {
        .whole(
            encode: { Output.self == NoContent.self ? nil : try WireJSON.encode($0) },
            decode: { bytes in
                if let nothing = NoContent() as? Output { return nothing }
                return try WireJSON.decode(Output.self, from: bytes)
            })
    }
}

extension OutputCodec where Output == Document {
    static var document: OutputCodec { .stream(encode: { $0 }, decode: { $0 }) }
}
