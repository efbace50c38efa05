import Foundation
import MartletContract
import Testing

/// The tree is the architecture: arrows point down only. The compiler checks what targets declare; these rules check what they may declare,
/// and what their files import, since SwiftPM lets a file import whatever is built.
@Suite("Layers")
struct Layers {
    @Test func targetsDependOnlyOnTargetsListedBeforeThem() async throws {
        var above: Set<String> = []
        let package = try await Manifest.load()
        for target in package.targets {
            for dependency in target.local(in: package) where !above.contains(dependency) {
                Issue.record(
                    "\(target.name) depends on \(dependency), which Package.swift lists after it: arrows point down, lowest layer first.")
            }
            above.insert(target.name)
        }
    }

    @Test func servicesNeverDependOnOneAnother() async throws {
        let package = try await Manifest.load()
        for target in package.targets where target.isServiceImplementation {
            for dependency in target.local(in: package) where package.target(dependency)?.isServiceImplementation == true {
                Issue.record("\(target.name) depends on \(dependency): services know only one another's API, so that each can be left out.")
            }
        }
    }

    @Test func whatServicesDeclareDependsOnDeclarationsOnly() async throws {
        let package = try await Manifest.load()
        for target in package.targets where target.isServiceAPI {
            let strangers = Set(target.dependencies).subtracting(["MartletContract", "MartletCore", "MartletJobsAPI"])
            #expect(
                strangers.isEmpty,
                "\(target.name) depends on \(strangers): clients import it, so it holds declarations and nothing that serves.")
        }
    }

    @Test func onlyTheAppDependsOnDrivers() async throws {
        let package = try await Manifest.load()
        let drivers = Set(package.targets.filter { $0.path.hasPrefix("Sources/Drivers/") }.map(\.name))
        #expect(!drivers.isEmpty)
        for target in package.targets where target.path.hasPrefix("Sources/") && target.name != "MartletApp" {
            let used = drivers.intersection(target.dependencies)
            #expect(used.isEmpty, "\(target.name) depends on \(used): only App chooses engines, all others speak to the seam in Storage.")
        }
    }

    @Test func filesImportOnlyTargetsThatTheirOwnDependsOn() async throws {
        let package = try await Manifest.load()
        let names = Set(package.targets.map(\.name))
        for target in package.targets where target.path.hasPrefix("Sources/") {
            let allowed = package.reachable(from: target).union([target.name])
            for file in try SourceFile.all(in: target.path) {
                for module in file.imports.intersection(names).subtracting(allowed) {
                    Issue.record("\(file.path) imports \(module), which \(target.name) does not depend on: arrows point down only.")
                }
            }
        }
    }

    @Test(arguments: Rule.all)
    func filesImportOnlyWhatTheirLayerMay(rule: Rule) throws {
        let files = try SourceFile.all(in: rule.folder)
        #expect(!files.isEmpty, "\(rule.folder) has no files: the rule about it is out of date.")
        for file in files {
            let strangers = file.imports.filter { !rule.allows($0) }.sorted()
            #expect(strangers.isEmpty, "\(file.path) imports \(strangers.joined(separator: ", ")): \(rule.reason)")
        }
    }

    @Test(arguments: [
        ("GRDB", "Sources/Drivers/SQLite", "one driver per engine; all others speak to the seam in Storage"),
        ("JWTKit", "Sources/Platform/Identity", "tokens are read by our own strict reader first, which lives there"),
        ("CArgon2", "Sources/Platform/Identity", "passwords are hashed with bounded concurrency, which lives there"),
        ("CCurl", "Sources/Platform/Mail", "mail leaves by threads of its own, which libcurl may block"),
        ("CCrypt", "Sources/Platform/Identity", "passwords are hashed with bounded concurrency, which lives there"),
        ("CryptoExtras", "Sources/Platform/Identity", "passwords are hashed with bounded concurrency, which lives there"),
        ("CDeflate", "Sources/Platform", "answers are compressed in the pipeline, log files where they are put away"),
        ("CQRCode", "Sources/Platform/Identity", "only authenticators are shown pictures"),
        ("NIOHTTP2", "Sources/Platform/Wire", "framing is the wire's"),
        ("Configuration", "Sources/Platform/Settings", "settings are read once, into one typed value"),
        ("ArgumentParser", "Sources/Commands", "commands are the executable's"),
    ])
    func onlyOnePlaceImports(module: String, folder: String, reason: String) throws {
        let users = try SourceFile.all(in: "Sources").filter { $0.imports.contains(module) }
        #expect(!users.isEmpty, "Nothing imports \(module): the rule about it is out of date.")
        for file in users {
            #expect(file.path.hasPrefix(folder + "/"), "\(file.path) imports \(module), which only \(folder) does: \(reason).")
        }
    }

    @Test func onlyFewPlacesCallOut() throws {
        let users = try SourceFile.all(in: "Sources").filter { $0.imports.contains("AsyncHTTPClient") }
        let places = ["Sources/Client/", "Sources/Platform/Telemetry/", "Sources/Platform/Identity/Issuers/KeySetFetching.swift"]
        for place in places { #expect(users.contains { $0.path.hasPrefix(place) }) }
        for file in users where !places.contains(where: file.path.hasPrefix) {
            Issue.record(
                "\(file.path) imports AsyncHTTPClient: the server calls nobody but its collector, and the issuers whose tokens it takes.")
        }
    }
}

/// What the files of a folder may import, and why no more.
struct Rule: Sendable, CustomTestStringConvertible {
    let folder: String
    let modules: Set<String>
    let reason: String
    var testDescription: String { folder }

    func allows(_ module: String) -> Bool { modules.contains(module) || (folder.hasSuffix("Services") && module.hasSuffix("API")) }

    private static let standard: Set<String> = ["Foundation", "Synchronization"]

    static let all = [
        Rule(folder: "Sources/Core", modules: standard, reason: "Core is beneath everything, and imports nothing of ours."),
        Rule(
            folder: "Sources/Contract", modules: standard.union(["HTTPTypes", "MartletCore"]),
            reason: "an app on a phone imports the contract; it holds nothing that serves."),
        Rule(
            folder: "Sources/Platform/IdentityAPI", modules: standard.union(["MartletCore", "MartletContract"]),
            reason: "clients import an API; it holds nothing that serves."),
        Rule(
            folder: "Sources/Platform/AuditAPI", modules: standard.union(["MartletCore", "MartletContract"]),
            reason: "clients import an API; it holds nothing that serves."),
        Rule(
            folder: "Sources/Platform/AdminAPI", modules: standard.union(["MartletCore", "MartletContract"]),
            reason: "clients import an API; it holds nothing that serves."),
        Rule(
            folder: "Sources/Platform/Storage", modules: standard.union(["MartletCore", "Crypto", "Logging", "Metrics"]),
            reason: "Storage is the seam: it knows no engine and no HTTP; how long statements take it tells an interface."),
        Rule(
            folder: "Sources/Platform/Cache",
            modules: standard.union(["MartletContract", "MartletCore", "MartletStorage", "MartletTelemetry", "Logging", "Tracing"]),
            reason: "the cache knows the outbox, the seam of a shared tier and what it tells of itself: no engine, no server and no HTTP."),
        Rule(
            folder: "Sources/Platform/Secrets", modules: standard.union(["MartletStorage", "Crypto"]),
            reason: "sealing knows the seam of the database and nothing of what is sealed."),
        Rule(
            folder: "Sources/Platform/DataCopy", modules: standard.union(["MartletCore", "MartletStorage", "Crypto"]),
            reason: "copies speak to the seam: they know the dialects and no driver."),
        Rule(
            folder: "Sources/Platform/Supervisor", modules: standard.union(["Glibc", "Logging", "Musl"]),
            reason: "the supervisor outlives what it starts: it knows processes, and nothing that serves or stores."),
        Rule(
            folder: "Sources/Services",
            modules: standard.union([
                "MartletCache", "MartletCore", "MartletContract", "MartletHTTP", "MartletIdempotency", "MartletJobs", "MartletJobsAPI",
                "MartletService",
                "MartletStorage",
                "HTTPTypes",
                "Logging",
            ]),
            reason: "services speak to the platform, never to one another, an engine or the web framework."),
    ]
}
