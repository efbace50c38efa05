import HTTPTypes
import MartletCore
import MartletHTTP

/// Where a login came from, as its owner is shown it later.
struct SessionOrigin: Sendable, Equatable {
    /// What the program called itself; `nil` when it said nothing.
    let device: String?
    /// The client's address; `nil` when it has none.
    let address: String?

    init(_ call: Call) {
        device = Self.device(call.request.headerFields[.userAgent] ?? "")
        address = call.client?.description
    }

    static let longestDevice = 100

    /// The text without anything that could mean something to whoever shows it: visible ASCII, no markup, no quotes, single spaces.
    static func device(_ agent: String) -> String? {
        let harmless = agent.unicodeScalars.map { isHarmless($0) ? Character($0) : " " }
        let text = String(harmless.split(separator: " ").joined(separator: " ").prefix(longestDevice))
        return text.isEmpty ? nil : text
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        (0x21...0x7E).contains(scalar.value) && !"<>&\"'`\\{}".unicodeScalars.contains(scalar)
    }
}
