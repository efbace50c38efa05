import MartletCore
public import Tracing

/// What a span is about. It is asked for words only when the span is exported: most are thrown away.
public protocol SpanDetail: Sendable {
    var kind: SpanKind { get }
    /// The span's name, which is one of a closed set, and what else is told of it: never a secret, a value of SQL, a path or a query.
    func describe() -> SpanDescription
}

/// A span in words.
public struct SpanDescription: Sendable {
    public var name: String
    public var attributes: [SpanValue]
    public var events: [SpanMoment]
    public var links: [TraceParent]

    public init(_ name: String, _ attributes: [SpanValue?] = [], events: [SpanMoment] = [], links: [TraceParent] = []) {
        (self.name, self.attributes) = (name, attributes.compactMap { $0 })
        (self.events, self.links) = (events, links)
    }
}

/// An attribute: a name of OpenTelemetry's semantic conventions where there is one, and its value.
public struct SpanValue: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case text(String)
        case integer(Int64)
        case double(Double)
        case flag(Bool)
    }

    let name: String
    let value: Value

    init(_ name: String, _ value: Value) { (self.name, self.value) = (name, value) }

    public init(_ name: String, _ text: String) { self.init(name, .text(text)) }
    public init(_ name: String, _ number: Int) { self.init(name, .integer(Int64(number))) }
    public init(_ name: String, _ flag: Bool) { self.init(name, .flag(flag)) }
}

/// Something that happened at one moment of a span.
public struct SpanMoment: Sendable {
    let name: String
    let at: ContinuousClock.Instant

    public init(_ name: String, at: ContinuousClock.Instant) { (self.name, self.at) = (name, at) }
}

/// A part of the program's own work, by its name alone.
public struct NamedWork: SpanDetail {
    let name: StaticString
    public let kind: SpanKind

    public init(_ name: StaticString, kind: SpanKind = .internal) { (self.name, self.kind) = (name, kind) }

    public func describe() -> SpanDescription { SpanDescription("\(name)") }
}

/// A span that has ended.
struct FinishedSpan: Sendable {
    let id: SpanID
    let parent: SpanID?
    let start: ContinuousClock.Instant
    let end: ContinuousClock.Instant
    /// A code, never words: those may hold what a user has said.
    let failure: String?
    let detail: any SpanDetail
}

/// Why something failed, in one word of a closed set: a failure's code, else the name of the error's type.
public enum FailureName {
    public static func of(_ error: any Error) -> String {
        switch error {
        case let failure as Failure: failure.code
        case is CancellationError: "cancelled"
        default: "\(type(of: error))"
        }
    }
}
