/// An answer that is one of several objects: on the wire each is the JSON of its own type, and their fields tell them apart.
///
/// OpenAPI lists them as `oneOf`. The conforming type decodes and encodes itself as the one that it is.
public protocol Alternatives: Codable, Sendable {
    /// The objects that it can be, the commonest first.
    static var alternatives: [any (Decodable & Sendable).Type] { get }
}
