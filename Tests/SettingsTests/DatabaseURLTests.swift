import Foundation
import MartletSettings
import Testing

@Suite struct PostgreSQLByItsURL {
    @Test(arguments: [
        "postgresql://me:secret@db.example:5432/shop", "postgresql://db", "postgresql://", "postgresql:///shop", "postgresql://me@/shop",
        "postgresql://db/shop?sslmode=verify-full&connect_timeout=3", "postgresql://[::1]:5432/shop", "postgresql://one:1,two:2,three/shop",
        "postgresql://me:p%40ss%2Fw%25rd@db/shop", "postgresql://%2Frun%2Fpostgresql/shop", "postgresql://:secret@db", "postgresql://db:/x",
        "postgresql://me:a:b@db", "postgresql://db?application_name=x", "postgresql://db/möwe", "postgresql:///?host=/run/postgresql",
        "postgresql://db/shop?options=-csearch_path%3Dmine",
    ])
    func reachesTheDriverAsItIs(url: String) throws {
        #expect(try loaded(url) == url)
    }

    @Test(arguments: [
        ("postgres://", "@db/x"), ("postgresql+asyncpg://", "@db/x"), ("postgresql+psycopg2://", "@db/x"), ("postgres+psycopg://", "@db/x"),
        ("POSTGRES://", "@db/x"),
    ])
    func losesTheNameOfAnotherDriver(scheme: String, rest: String) throws {
        #expect(try loaded("\(scheme)me:hunter2\(rest)") == "postgresql://me:hunter2\(rest)")
    }

    @Test(arguments: [
        ("postgres:", "postgres://"), ("postgres:/db", "postgres://"), ("postgresql+://db", "postgres://"),
        ("postgresql+a-b://db", "postgres://"),
        ("postgres://me:hunt@er2@db/x", "%40"), ("postgres://me:hunt/er2@db/x", "%2F"), ("postgres://me:hunt?er2@db/x", "%3F"),
        ("postgres://me:hunt#er2@db/x", "%23"), ("postgres://me:hunter2%@db/x", "%25"), ("postgres://me:hunter2%4@db/x", "%25"),
        ("postgres://me:hunter2%4g@db/x", "%25"), ("postgres://me:hunter2%00@db/x", "%25"), ("postgres://db/x/y", "%2F"),
        ("postgres://db/x#y", "%23"), ("postgres://db?x=a@b", "%40"),
        ("postgres://d b/x", "spaces"), ("postgres://db/x\u{7}", "control characters"), ("postgres://me:a\u{0}b@db", "control characters"),
        ("postgres://db:0/x", "port"), ("postgres://db:65536/x", "port"), ("postgres://db:x/x", "port"), ("postgres://db:5432:1/x", "port"),
        ("postgres://db:99999999999999999999/x", "port"), ("postgres://[::1]x/y", "port"), ("postgres://me:hunter2", "port"),
        ("postgres://d$b/x", "host"), ("postgres://[zz]/x", "host"), ("postgres://[::1/x", "host"), ("postgres://one,tw*o/x", "host"),
        ("postgres://db/x?sslmode", "?name=value"), ("postgres://db/x?a=b=c", "%3D"), ("postgres://db/x?=b", "?name=value"),
        ("postgres://db/x?a=b&", "?name=value"),
    ])
    func isRefusedWhenMalformedAndTheRepairSaysWhatIsWrong(url: String, repair: String) throws {
        let fault = try #require(try WorkFolder().faults(["DATABASE_URL": url]).first)
        #expect(fault.name == "DATABASE_URL")
        #expect(fault.repair.contains(repair))
        for part in ["hunt", "er2"] { #expect(!fault.description.contains(part)) }
    }

    @Test func isReadTheSameFromACommandLine() throws {
        let url = try DatabaseURL("postgres://me:hunter2@db/x", named: "--to", folder: "/")
        #expect(url.description == "postgresql://…@db/x")
        #expect(try DatabaseURL("sqlite:a.db", named: "--from", folder: "/data") == .sqlite(path: "/data/a.db"))
        let fault = #expect(throws: SettingFault.self) { try DatabaseURL("postgres://me:hunter2@db:x", named: "--to", folder: "/") }
        #expect(fault?.name == "--to")
        #expect(fault?.description.contains("hunter2") == false)
    }

    @Test func isEqualToItsOtherSpellings() throws {
        let urls = try ["postgres://me:a@db", "postgresql+asyncpg://me:a@db", "postgresql://me:b@db"].map {
            try DatabaseURL($0, named: "", folder: "/")
        }
        #expect(urls[0] == urls[1])
        #expect(urls[0] != urls[2])
        #expect(Set(urls).count == 2)
    }

    private func loaded(_ url: String) throws -> String? {
        guard case .postgres(let read) = try WorkFolder().load(["DATABASE_URL": url]).databaseURL else { return nil }
        return read.unsafeReveal()
    }
}

@Suite struct PasswordsInURLsAreNeverShown {
    @Test(arguments: [
        "postgres://me:hunter2@db/x", "postgres://me:hunter2@db/x?sslpassword=hunter2", "postgres://db/x?user=me&password=hunter2",
        "postgres:///?password=hunter2", "postgres://db?pass%77ord=hunter2",
    ])
    func notByPrintingDumpingReflectingOrListing(url: String) throws {
        let settings = try WorkFolder().load(["DATABASE_URL": url])
        let database = settings.databaseURL
        guard case .postgres(let postgres) = database else { throw NotPostgres() }
        var dumped = ""
        dump(database, to: &dumped)
        dump(settings, to: &dumped)
        let shown = [
            "\(database)", String(reflecting: database), "\(postgres)", String(reflecting: postgres), dumped, settings.describe(),
            "\(Mirror(reflecting: postgres).children.map { "\($0)" })", "\(Mirror(reflecting: database).children.map { "\($0)" })",
        ]
        #expect(!shown.contains { $0.contains("hunter2") })
        #expect(postgres.unsafeReveal().contains("hunter2"))
    }

    @Test func butHostAndDatabaseAre() throws {
        let settings = try WorkFolder().load(["DATABASE_URL": "postgres://me:hunter2@db:5433/shop?sslmode=require"])
        #expect(settings.describe().contains(/DATABASE_URL +postgres:\/\/…@db:5433\/shop\?… +environment/))
        #expect("\(settings.databaseURL)" == "postgresql://…@db:5433/shop?…")
    }

    @Test(arguments: [
        ("psotgres://me:hunter2@db", "`psotgres://…@db` (environment)"), ("psotgres://me:hunt?er2@db/x", "`psotgres://…` (environment)"),
        ("psotgres://db/x?a=hunt@er2", "`psotgres://…` (environment)"), ("psotgres://me:hunter2", "`psotgres://me:…` (environment)"),
        ("psotgres:me:hunter2@db", "`psotgres:…@db` (environment)"), ("host=db PASSWORD=hunter2", "`host=db PASSWORD…` (environment)"),
        ("mysql://[::1]:3306/x", "`mysql://[::1]:3306/x` (environment)"), ("mysql://db:3306/x", "`mysql://db:3306/x` (environment)"),
    ])
    func notWhenTheURLIsMisspelt(url: String, found: String) throws {
        #expect(try WorkFolder().faults(["DATABASE_URL": url]).first?.found == found)
    }

    private struct NotPostgres: Error {}
}

@Suite struct SettingsOfPostgreSQL {
    @Test func haveDefaults() throws {
        let settings = try WorkFolder().load()
        #expect(settings.databasePoolSize == 20)
        #expect(settings.databaseMaximumOverflow == 10)
        #expect(settings.databasePipelines == 2)
        #expect(settings.databaseTimeout == .seconds(30))
        #expect(settings.databaseMaximumWaiting == 1000)
        #expect(settings.databaseConnectTimeout == .seconds(5))
        #expect(settings.databaseStatementTimeout == .seconds(30))
        #expect(settings.databaseLockTimeout == .seconds(10))
        #expect(settings.databaseIdleTransactionTimeout == .seconds(60))
        #expect(settings.databaseMaximumLifetime == .seconds(1800))
        #expect(settings.databaseIdleTimeout == .seconds(600))
        #expect(settings.databasePreparedStatements)
        #expect(settings.databaseApplicationName == "martlet")
    }

    @Test(arguments: [
        ("DATABASE_POOL_SIZE", "0"), ("DATABASE_POOL_SIZE", "1001"), ("DATABASE_MAX_OVERFLOW", "-1"), ("DATABASE_PIPELINES", "17"),
        ("DATABASE_MAX_WAITING", "0"), ("DATABASE_LOCK_TIMEOUT", "0"), ("DATABASE_CONNECT_TIMEOUT", "11m"),
        ("DATABASE_APPLICATION_NAME", String(repeating: "x", count: 64)), ("DATABASE_PREPARED_STATEMENTS", "maybe"),
    ])
    func haveLimits(name: String, value: String) throws {
        #expect(try WorkFolder().faults([name: value]).map(\.name) == [name])
    }
}
