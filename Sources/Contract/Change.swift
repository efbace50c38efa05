/// What a partial update (PATCH) says about one field: nothing, "clear it", or a new value.
///
/// On the wire an absent field is ``unchanged`` and `null` is ``cleared`` (RFC 7396).
public enum Change<Value: Codable & Sendable>: Sendable {
    case unchanged
    case cleared
    case set(Value)
}

extension Change {
    /// The value after the change.
    public func applied(to old: Value?) -> Value? {
        switch self {
        case .unchanged: old
        case .cleared: nil
        case .set(let new): new
        }
    }
}

extension Change: Equatable where Value: Equatable {}

extension Change: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .cleared : .set(try container.decode(Value.self))
    }

    public func encode(to encoder: any Encoder) throws {
        if isAbsent, let encoder = encoder as? WireEncoder { encoder.output.text.isAbsent = true }
        var container = encoder.singleValueContainer()
        switch self {
        case .unchanged, .cleared: try container.encodeNil()
        case .set(let value): try container.encode(value)
        }
    }
}

/// A type that has a value for "the field is not there".
protocol AbsenceRepresentable: Decodable {
    static var absent: Self { get }
    var isAbsent: Bool { get }
    static var presentType: any Decodable.Type { get }
}

extension Change: AbsenceRepresentable {
    static var absent: Change { .unchanged }
    static var presentType: any Decodable.Type { Value.self }
    var isAbsent: Bool {
        if case .unchanged = self { return true }
        return false
    }
}
