import MartletSettings
import Testing

@Suite struct RedisByItsURL {
    @Test(arguments: [
        "redis://cache", "redis://cache:6380/3", "redis://:hunter2@cache", "redis://me:p%40ss@[::1]:6379/0", "rediss://cache/0",
        "rediss://me:hunter2@cache?ca_file=/etc/ca.pem",
    ])
    func reachesTheDriverAsItIs(url: String) throws {
        #expect(try WorkFolder().load(["REDIS_URL": url]).redisURL?.unsafeReveal() == url)
    }

    @Test func mayBeLeftOut() throws {
        #expect(try WorkFolder().load().redisURL == nil)
    }

    @Test(arguments: [
        ("http://cache", "redis://"), ("redis:cache", "redis://"), ("redis://", "host"), ("redis:///0", "host"), ("redis://c$ache", "host"),
        ("redis://cache:0", "port"), ("redis://cache:65536", "port"), ("redis://cache:x", "port"), ("redis://cache/x", "database"),
        ("redis://cache/-1", "database"), ("redis://hunter2@cache", "password"), ("redis://me:@cache", "password"),
        ("redis://me:hunt@er2@cache", "%40"), ("redis://me:hunt:er2@cache", "%3A"), ("redis://me:hunter2%4@cache", "%25"),
        ("redis://cache?ca_file=/x", "rediss"), ("rediss://cache?verify=no", "ca_file"), ("rediss://cache?ca_file=", "ca_file"),
        ("redis://ca che", "spaces"),
    ])
    func isRefusedWhenMalformedAndTheRepairSaysWhatIsWrong(url: String, repair: String) throws {
        let fault = try #require(try WorkFolder().faults(["REDIS_URL": url]).first)
        #expect(fault.name == "REDIS_URL")
        #expect(fault.repair.contains(repair))
        for part in ["hunt", "er2"] { #expect(!fault.description.contains(part)) }
    }

    @Test func isNeverShownWithItsPassword() throws {
        let settings = try WorkFolder().load(["REDIS_URL": "redis://me:hunter2@cache:6380/1"])
        var dumped = ""
        dump(settings, to: &dumped)
        let url = try #require(settings.redisURL)
        dump(url, to: &dumped)
        let shown = ["\(url)", String(reflecting: url), dumped, settings.describe(), "\(Mirror(reflecting: url).children.map { "\($0)" })"]
        #expect(!shown.contains { $0.contains("hunter2") })
        #expect("\(url)" == "redis://…@cache:6380/1")
    }
}
