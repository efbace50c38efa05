import MartletContract
import Testing

/// Versions below these have known vulnerabilities in what we use of them; neither the manifest nor what is built may go lower.
@Suite("Dependencies with known advisories")
struct DependencyFloors {
    private static let floors = [
        "swift-nio": "2.100.0", "swift-nio-http2": "1.44.1", "swift-crypto": "4.5.1", "swift-nio-ssl": "2.37.2",
        "swift-nio-extras": "1.34.1",
        "swift-asn1": "1.3.1", "async-http-client": "1.13.2",
    ]

    @Test func areResolvedToVersionsThatHaveThemFixed() throws {
        let pins = try WireJSON.parse(Checkout.text("Package.resolved").utf8)["pins"]?.elements ?? []
        for (name, floor) in Self.floors {
            let pin = pins.first { $0["identity"]?.text == name }
            let text = try #require(pin?["state"]?["version"]?.text, "\(name) is not resolved to a version.")
            let isAtLeast = try #require(Version(text)) >= #require(Version(floor))
            #expect(isAtLeast, "\(name) \(text) is below \(floor), the first version with its known advisories fixed.")
        }
    }

    @Test func cannotBeResolvedToAnyOther() throws {
        let manifest = try Checkout.text("Package.swift")
        for (name, floor) in Self.floors {
            let pattern = try Regex("/\(name)\\.git\", from: \"([0-9.]+)\"", as: (Substring, Substring).self)
            let declared = try #require(manifest.firstMatch(of: pattern)?.1, "Package.swift should name \(name) with its lowest version.")
            let isAtLeast = try #require(Version(String(declared))) >= #require(Version(floor))
            #expect(
                isAtLeast, "Package.swift lets \(name) be \(declared), below \(floor), the first version with its known advisories fixed.")
        }
    }
}

/// Major, minor and patch; whatever follows a hyphen counts for nothing.
private struct Version: Comparable {
    private let numbers: [Int]

    init?(_ text: String) {
        numbers = text.prefix { $0 != "-" && $0 != "+" }.split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3 else { return nil }
    }

    static func < (left: Version, right: Version) -> Bool {
        left.numbers.lexicographicallyPrecedes(right.numbers)
    }
}
