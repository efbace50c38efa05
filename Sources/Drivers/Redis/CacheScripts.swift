/// What ``RedisCacheTier`` has the server do, each as a whole.
///
/// Keys: `…state`, a hash with `run` (which run of the server it was made in), `epoch` and `sequence`; `…t:TAG`, the number of the tag's last
/// eviction; `…e:KEY`, a hash with an entry; `…l:KEY`, who fills it; `…d:ID`, that an eviction was applied.
enum CacheScripts {
    /// `KEYS[1]` is the state; `ARGV` begins with the prefix, the key, and a name that nobody else has, for a new epoch.
    ///
    /// The server's clock only begins the count: numbers never fall, also when the clock is set back.
    private static let state = """
        local prefix, key, nonce = ARGV[1], ARGV[2], ARGV[3]
        local tagTTL = 172800000
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or 'none'
        local kept = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'sequence')
        local epoch, sequence = kept[2], tonumber(kept[3] or '')
        local function begin()
            local time = redis.call('TIME')
            sequence = math.max(time[1] * 1000000 + time[2], (sequence or 0) + 1)
            epoch = nonce
            redis.call('HSET', KEYS[1], 'run', run, 'epoch', epoch, 'sequence', string.format('%.0f', sequence))
        end
        if not epoch or not sequence or kept[1] ~= run then begin() end
        local function nextNumber()
            sequence = sequence + 1
            redis.call('HSET', KEYS[1], 'sequence', string.format('%.0f', sequence))
            return sequence
        end
        local function tagKey(tag) return prefix .. 't:' .. tag end
        -- Whether each tag is there and has not been evicted after a number.
        local function holds(tags, number)
            for _, tag in ipairs(tags) do
                local evicted = tonumber(redis.call('GET', tagKey(tag)) or '')
                if not evicted or evicted > number then return false end
            end
            return true
        end
        -- Makes tags that are not there: as far as anybody knows they were evicted just now.
        local function make(tags)
            local number
            for _, tag in ipairs(tags) do
                if redis.call('EXISTS', tagKey(tag)) == 0 then
                    number = number or nextNumber()
                    redis.call('SET', tagKey(tag), string.format('%.0f', number), 'PX', tagTTL)
                end
            end
        end
        local function rest(first)
            local tags = {}
            for place = first, #ARGV do tags[#tags + 1] = ARGV[place] end
            return tags
        end
        local lock = prefix .. 'l:' .. key
        local function unlock(holder)
            if redis.call('GET', lock) == holder then redis.call('DEL', lock) end
        end
        local entry = prefix .. 'e:' .. key

        """

    /// holder, whether it renews, whether it fills, tags → 1, age, fresh, stale, whether it is missing, bytes, tags; or 0, epoch, sequence,
    /// whether somebody else fills it.
    static let look = RedisScript(
        state + """
            local holder, renews, fills = ARGV[4], ARGV[5] == '1', ARGV[6] == '1'
            local found = redis.call('HMGET', entry, 'epoch', 'sequence', 'life', 'stale', 'missing', 'tags', 'bytes')
            if found[1] and found[1] == epoch then
                local tags, left = cmsgpack.unpack(found[6]), redis.call('PTTL', entry)
                local fresh = left - tonumber(found[4])
                if left > 0 and (fresh > 0 or not renews) and holds(tags, tonumber(found[2])) then
                    return { 1, tonumber(found[3]) - left, fresh, tonumber(found[4]), tonumber(found[5]), found[7], tags }
                end
            end
            local busy = 0
            if fills then
                make(rest(7))
                if not redis.call('SET', lock, holder, 'NX', 'PX', 2000) and redis.call('GET', lock) ~= holder then busy = 1 end
            end
            return { 0, epoch, string.format('%.0f', sequence), busy }
            """)

    /// holder, epoch, sequence, fresh, stale, whether it is missing, bytes, tags → whether it was kept.
    static let store = RedisScript(
        state + """
            unlock(ARGV[4])
            local tags, number = rest(11), tonumber(ARGV[6])
            local life = tonumber(ARGV[7]) + tonumber(ARGV[8])
            make(tags)
            if ARGV[5] ~= epoch or life <= 0 or not holds(tags, number) then return { 0 } end
            redis.call('DEL', entry)
            redis.call('HSET', entry, 'epoch', epoch, 'sequence', ARGV[6], 'life', life, 'stale', ARGV[8],
                'missing', ARGV[9], 'bytes', ARGV[10], 'tags', cmsgpack.pack(tags))
            redis.call('PEXPIRE', entry, life)
            for _, tag in ipairs(tags) do redis.call('PEXPIRE', tagKey(tag), tagTTL) end
            return { 1 }
            """)

    /// holder.
    static let release = RedisScript(state + "unlock(ARGV[4]) return { 1 }")

    /// tags; the key is the eviction's id. Of several instances that apply it the first one counts.
    static let evict = RedisScript(
        state + """
            if not redis.call('SET', prefix .. 'd:' .. key, 1, 'NX', 'EX', 60) then return { 0 } end
            local number = string.format('%.0f', nextNumber())
            for _, tag in ipairs(rest(4)) do redis.call('SET', tagKey(tag), number, 'PX', tagTTL) end
            return { 1 }
            """)

    static let forget = RedisScript(state + "begin() return { 1 }")
}
