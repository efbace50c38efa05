// swift-tools-version: 6.1
import PackageDescription

// The tree is the architecture: targets are listed bottom layer first, and arrows point down only.
// Folder names are short; module names carry the prefix, so that they cannot collide with a user's.

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .executable(name: "martlet", targets: ["martlet"]),
        .library(name: "MartletContract", targets: ["MartletContract"]),
        .library(name: "MartletClient", targets: ["MartletClient", "MartletIdentityAPI", "MartletJobsAPI", "MartletAuditAPI", "MartletAdminAPI", "MartletBookmarksAPI"]),
        .library(
            name: "Martlet",
            targets: ["MartletApp", "MartletService", "MartletHTTP", "MartletStorage", "MartletJobs", "MartletAudit", "MartletIdentity", "MartletCache", "MartletRateLimit", "MartletIdempotency", "MartletSettings", "MartletSQLite", "MartletPostgres", "MartletRedis"]),
    ],
    dependencies: [
        // Lower bounds are the first versions with the known advisories fixed; `DependencyFloors` tests them.
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.3.1"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: ["JSON", "YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.1"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.9.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.45.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.2"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.8.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2", traits: []),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.1"),
    ],
    targets: [
        // Core: the words everyone shares.
        .target(name: "MartletCore", path: "Sources/Core"),

        // Contract: what client and server agree on. No server imports.
        .target(name: "MartletContract", dependencies: ["MartletCore", .httpTypes], path: "Sources/Contract"),
        .target(name: "MartletIdentityAPI", dependencies: ["MartletContract"], path: "Sources/Platform/IdentityAPI"),
        .target(
            name: "MartletClient",
            dependencies: ["MartletContract", "MartletIdentityAPI", .asyncHTTPClient, .httpTypes, .nioCore, .nioHTTP1, .nioPosix],
            path: "Sources/Client"),

        // Platform: the batteries. No business words.
        .systemLibrary(name: "CArgon2", path: "Sources/System/CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CCrypt", path: "Sources/System/CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CPostgres", path: "Sources/System/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CQRCode", path: "Sources/System/CQRCode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CCurl", path: "Sources/System/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CDeflate", path: "Sources/System/CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .target(
            name: "MartletWire",
            dependencies: [
                "MartletCore", .hummingbirdCore,
                .product(name: "HummingbirdHTTP2", package: "hummingbird"), .httpTypes, .lifecycle, .logging, .nioCore, .nioPosix,
                .nioHTTP1, .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"), .nioSSL,
            ],
            path: "Sources/Platform/Wire"),
        .target(name: "MartletSettings", dependencies: ["MartletContract", "MartletCore", .product(name: "Configuration", package: "swift-configuration")], path: "Sources/Platform/Settings"),
        .target(
            name: "MartletTelemetry",
            dependencies: ["MartletCore", "MartletContract", "CDeflate", .asyncHTTPClient, .lifecycle, .logging, .metrics, .nioCore, .nioHTTP1, .tracing],
            path: "Sources/Platform/Telemetry"),
        .target(name: "MartletOverload", dependencies: ["MartletCore", .lifecycle, .logging], path: "Sources/Platform/Overload"),
        .target(name: "MartletSupervisor", dependencies: ["MartletCore", .lifecycle, .logging], path: "Sources/Platform/Supervisor"),
        .target(name: "MartletRateLimit", dependencies: ["MartletCore", .logging, .metrics], path: "Sources/Platform/RateLimit"),
        .target(name: "MartletStorage", dependencies: ["MartletCore", .crypto, .logging, .metrics, .tracing], path: "Sources/Platform/Storage"),
        .target(name: "MartletSecrets", dependencies: ["MartletStorage", .crypto], path: "Sources/Platform/Secrets"),
        .target(name: "MartletCache", dependencies: ["MartletContract", "MartletCore", "MartletStorage", "MartletTelemetry", .crypto, .logging, .metrics, .tracing], path: "Sources/Platform/Cache"),
        .target(
            name: "MartletHTTP",
            dependencies: [
                "MartletCache", "MartletContract", "MartletOverload", "MartletRateLimit", "MartletSupervisor", "MartletTelemetry", "MartletWire", "CDeflate",
                .crypto, .hummingbirdCore, .httpTypes, .lifecycle, .logging, .metrics, .nioCore, .tracing,
            ],
            path: "Sources/Platform/HTTP"),
        .target(name: "MartletJobsAPI", dependencies: ["MartletContract", "MartletCore"], path: "Sources/Platform/JobsAPI"),
        .target(name: "MartletAuditAPI", dependencies: ["MartletContract", "MartletCore"], path: "Sources/Platform/AuditAPI"),
        .target(name: "MartletAdminAPI", dependencies: ["MartletContract", "MartletCore"], path: "Sources/Platform/AdminAPI"),
        .target(
            name: "MartletJobs",
            dependencies: ["MartletContract", "MartletCore", "MartletJobsAPI", "MartletStorage", "MartletTelemetry", .lifecycle, .logging, .metrics, .tracing],
            path: "Sources/Platform/Jobs"),
        .target(name: "MartletService", dependencies: ["MartletHTTP", "MartletJobs", "MartletStorage"], path: "Sources/Platform/Service"),
        .target(
            name: "MartletIdempotency",
            dependencies: ["MartletContract", "MartletHTTP", "MartletJobs", "MartletService", "MartletStorage", .crypto, .httpTypes, .nioCore],
            path: "Sources/Platform/Idempotency"),
        .target(
            name: "MartletAudit",
            dependencies: [
                "MartletAuditAPI", "MartletContract", "MartletCore", "MartletHTTP", "MartletJobs", "MartletService", "MartletStorage",
                "MartletTelemetry", .crypto, .httpTypes, .logging,
            ],
            path: "Sources/Platform/Audit"),
        .target(
            name: "MartletJobsService", dependencies: ["MartletAudit", "MartletAuditAPI", "MartletCore", "MartletJobs", "MartletJobsAPI", "MartletService", .logging], path: "Sources/Platform/JobsService"),
        .target(
            name: "MartletAdmin",
            dependencies: ["MartletAdminAPI", "MartletAudit", "MartletContract", "MartletCore", "MartletHTTP", "MartletService", "MartletStorage", "MartletTelemetry", .logging],
            path: "Sources/Platform/Admin"),
        .target(name: "MartletMail", dependencies: ["MartletCore", "CCurl", .logging, .nioPosix], path: "Sources/Platform/Mail"),
        .target(
            name: "MartletIdentity",
            dependencies: [
                "MartletAudit", "MartletAuditAPI", "MartletMail", "MartletRateLimit", "MartletSecrets", "MartletService", "MartletIdentityAPI", "CArgon2", "CCrypt", "CQRCode",
                .asyncHTTPClient, .crypto, .cryptoExtras, .httpTypes, .jwtKit, .lifecycle, .logging, .metrics, .nioCore, .nioHTTP1, .nioPosix,
            ],
            path: "Sources/Platform/Identity"),

        .target(name: "MartletDataCopy", dependencies: ["MartletStorage", .crypto, .logging], path: "Sources/Platform/DataCopy"),

        // Drivers: one per engine; only App imports them.
        .target(
            name: "MartletSQLite",
            dependencies: [
                "MartletStorage", .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"), .logging, .metrics,
            ],
            path: "Sources/Drivers/SQLite"),
        .target(name: "MartletPostgres", dependencies: ["MartletCore", "MartletStorage", "CPostgres", .logging, .metrics], path: "Sources/Drivers/Postgres"),
        .target(
            name: "MartletRedis", dependencies: ["MartletCache", "MartletCore", "MartletRateLimit", .crypto, .logging, .nioCore, .nioPosix, .nioSSL],
            path: "Sources/Drivers/Redis"),

        // Services: an API anyone may import, and the implementation. Services never import one another.
        .target(name: "MartletGovernanceAPI", dependencies: ["MartletContract"], path: "Sources/Services/GovernanceAPI"),
        .target(name: "MartletBookmarksAPI", dependencies: ["MartletContract", "MartletJobsAPI"], path: "Sources/Services/BookmarksAPI"),
        .target(name: "MartletBookmarks", dependencies: ["MartletBookmarksAPI", "MartletCache", "MartletIdempotency", "MartletJobs", "MartletJobsAPI", "MartletService"], path: "Sources/Services/Bookmarks"),

        // App: every service and driver chosen on one screen; Commands: the executable.
        .target(
            name: "MartletApp",
            dependencies: ["MartletAdmin", "MartletAdminAPI", "MartletAudit", "MartletAuditAPI", "MartletBookmarks", "MartletCache", "MartletDataCopy", "MartletGovernanceAPI", "MartletIdempotency", "MartletIdentity", "MartletJobs", "MartletJobsAPI", "MartletJobsService", "MartletMail", "MartletPostgres", "MartletRateLimit", "MartletRedis", "MartletOverload", "MartletSecrets", "MartletSettings", "MartletSQLite", "MartletSupervisor", "MartletTelemetry", .hummingbirdCore, .httpTypes, .logging, .lifecycle, .metrics, .tracing,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"), .nioCore, .nioPosix,
            ],
            path: "Sources/App"),
        .executableTarget(name: "martlet", dependencies: ["MartletApp", "MartletAudit", "MartletDataCopy", "MartletIdentity", "MartletIdentityAPI", "MartletJobs", "MartletJobsAPI", "MartletJobsService", "MartletSecrets", "MartletSupervisor", "MartletTelemetry", "MartletWire", .httpTypes, .product(name: "ArgumentParser", package: "swift-argument-parser")], path: "Sources/Commands"),

        // Measures what a check against a limit costs.
        .executableTarget(
            name: "martlet-catalog", dependencies: ["MartletApp", "MartletHTTP", "MartletService", "MartletSettings", "MartletStorage", .logging],
            path: "Benchmarks/Catalog"),
        .executableTarget(name: "limit-cost", dependencies: ["MartletRateLimit"], path: "Benchmarks/Limits"),
        // Measures what it takes to find out who calls.
        .executableTarget(
            name: "token-cost", dependencies: ["MartletApp", "MartletHTTP", "MartletIdentity", "MartletSettings", .crypto, .httpTypes, .logging],
            path: "Benchmarks/Tokens"),

        // Tests mirror Sources. TestSupport is for all of them, TestServers knows the engines that run beside them, TestKit starts the real app.
        .target(name: "MartletTestSupport", dependencies: [.logging, .subprocess, .systemPackage], path: "Tests/TestSupport"),
        .target(name: "MartletTestServers", dependencies: ["MartletPostgres", "MartletRedis", "MartletStorage", "MartletTestSupport", .logging], path: "Tests/TestServers"),
        .target(
            name: "MartletTestKit",
            dependencies: [
                "MartletApp", "MartletAudit", "MartletClient", "MartletIdentity", "MartletJobs", "MartletSettings", "MartletSupervisor", "MartletTelemetry", "MartletTestServers", "MartletTestSupport", .asyncHTTPClient, .logging, .nioCore, .nioHTTP1, .nioPosix, .nioSSL,
            ],
            path: "Tests/TestKit"),
        .testTarget(name: "ContractTests", dependencies: ["MartletContract", "MartletTestSupport"]),
        .testTarget(name: "WireTests", dependencies: ["MartletWire", "MartletTestSupport", .hummingbird, .httpTypes, .lifecycle, .logging, .nioCore, .nioPosix]),
        .testTarget(name: "SupervisorTests", dependencies: ["MartletSupervisor", "MartletTestSupport"]),
        .testTarget(name: "SecretsTests", dependencies: ["MartletSecrets"]),
        .testTarget(name: "SettingsTests", dependencies: ["MartletCore", "MartletSettings"]),
        .testTarget(name: "TelemetryTests", dependencies: ["MartletContract", "MartletCore", "MartletTelemetry", "MartletTestSupport", .lifecycle, .logging, .metrics, .nioCore, .nioHTTP1, .tracing]),
        .testTarget(name: "StorageTests", dependencies: ["MartletCore", "MartletStorage", "MartletSQLite", "MartletPostgres", "MartletTestServers", "MartletTestSupport", .logging]),
        .testTarget(name: "DataCopyTests", dependencies: ["MartletCore", "MartletDataCopy", "MartletStorage", "MartletSQLite", "MartletPostgres", "MartletTestServers", "MartletTestSupport", .logging]),
        .testTarget(name: "PostgresTests", dependencies: ["MartletCore", "MartletStorage", "MartletPostgres", "MartletTestServers", "MartletTestSupport", .logging]),
        .testTarget(name: "RedisTests", dependencies: ["MartletCore", "MartletRedis", "MartletTestServers", "MartletTestSupport", .logging, .nioCore, .nioPosix, .nioSSL]),
        .testTarget(name: "CacheTests", dependencies: ["MartletCache", "MartletCore", "MartletPostgres", "MartletRedis", "MartletSQLite", "MartletStorage", "MartletTestServers", "MartletTestSupport", .logging]),
        .testTarget(name: "OverloadTests", dependencies: ["MartletCore", "MartletOverload", "MartletTestSupport", .logging]),
        .testTarget(name: "RateLimitTests", dependencies: ["MartletCore", "MartletRateLimit", "MartletRedis", "MartletTestServers", "MartletTestSupport", .logging]),
        .testTarget(name: "IdempotencyTests", dependencies: ["MartletContract", "MartletCore", "MartletIdempotency", "MartletHTTP", "MartletPostgres", "MartletSQLite", "MartletStorage", "MartletTestServers", "MartletTestSupport", .httpTypes, .logging, .nioCore]),
        .testTarget(name: "JobsTests", dependencies: [.lifecycle, "MartletCore", "MartletJobs", "MartletJobsAPI", "MartletPostgres", "MartletSQLite", "MartletStorage", "MartletTestServers", "MartletTestSupport", .logging]),
        .testTarget(name: "MailTests", dependencies: ["MartletCore", "MartletMail", "MartletTestKit", "MartletTestSupport", .logging]),
        .testTarget(name: "BookmarksTests", dependencies: ["MartletBookmarks", "MartletJobs", "MartletJobsAPI", "MartletTestKit", "MartletTestSupport"]),
        .testTarget(name: "AppTests", dependencies: ["MartletAdminAPI", "MartletAudit", "MartletAuditAPI", "MartletDataCopy", "MartletCache", "MartletJobs", "MartletJobsAPI", "MartletSecrets", "MartletSupervisor", "MartletTelemetry", "MartletTestKit", "MartletTestServers", "MartletTestSupport", "MartletWire", .asyncHTTPClient, .crypto, .logging, .metrics, .nioCore, .nioHTTP1, .nioPosix, .asn1, .tracing]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
}

extension Target.Dependency {
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    /// Only transitively used: named for its lower bound.
    static let asn1 = product(name: "SwiftASN1", package: "swift-asn1")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let jwtKit = product(name: "JWTKit", package: "jwt-kit")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let tracing = product(name: "Tracing", package: "swift-distributed-tracing")
    static let systemPackage = product(name: "SystemPackage", package: "swift-system", condition: .when(platforms: [.linux]))
}
