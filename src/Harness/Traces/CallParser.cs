using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>Reads what <see cref="CallPrinter"/> writes.</summary>
internal static class CallParser
{
    private const int MostHandles = 1_000_000;

    public static Call Parse(LineCursor line)
    {
        if (line.TryTake("env "))
        {
            return ParseEvent(line);
        }

        if (line.TryTake("sysctl "))
        {
            return ParseSysctl(line, default);
        }

        int start = line.Position;
        if (!line.TryTake("p"))
        {
            throw line.Error(start, "expected a call ('p1 ...'), 'sysctl', 'env' or 'observe'");
        }

        ProcessHandle caller = Process(line, start);
        line.SkipBlanks();
        if (line.TryTake("sysctl "))
        {
            return ParseSysctl(line, caller);
        }

        start = line.Position;
        string name = line.Word("the name of a call");
        line.Expect("(");
        Call call = ParseBody(line, start, name, caller);
        line.Expect(")");
        return call;
    }

    /// <summary>Reads the handle that a call binds and puts it into the call.</summary>
    public static bool TryBindResult(Call call, LineCursor line, out Call bound)
    {
        int start = line.Position;
        bound = call;
        switch (call)
        {
            case ShmGet get when line.TryTake("s"):
                bound = get with { Result = Segment(line, start) };
                return true;
            case ShmAt at when line.TryTake("a"):
                bound = at with { Result = Mapping(line, start) };
                return true;
            case MMap map when line.TryTake("a"):
                bound = map with { Result = Mapping(line, start) };
                return true;
            case MRemap remap when line.TryTake("a"):
                bound = remap with { Result = Mapping(line, start) };
                return true;
            case SpawnCall spawn when line.TryTake("p"):
                bound = spawn with { Result = Process(line, start) };
                return true;
            default:
                return false;
        }
    }

    /// <summary>The number of a process handle whose <c>p</c> has been read.</summary>
    public static ProcessHandle Process(LineCursor line, int start) =>
        new(HandleNumber(line, start, "a process such as p1"));

    /// <summary>The number of a segment handle whose <c>s</c> has been read.</summary>
    public static SegmentHandle Segment(LineCursor line, int start) =>
        new(HandleNumber(line, start, "a segment such as s1"));

    public static AddressRef Address(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        if (line.TryTake("NULL"))
        {
            return AddressRef.Null;
        }

        if (line.TryTake("0x"))
        {
            line.Return(start);
            return AddressRef.Literal(line.Unsigned("an address"));
        }

        if (line.TryTake("@"))
        {
            ulong page = line.Unsigned("a page of the window");
            return AddressRef.Window(page, Offset(line));
        }

        return line.TryTake("a") ? AddressRef.Of(Mapping(line, start), Offset(line))
            : throw line.Error(start, "expected an address: NULL, a1, a1+4096, @12, 0x...");
    }

    private static MappingHandle Mapping(LineCursor line, int start) =>
        new(HandleNumber(line, start, "an address handle such as a1"));

    private static int HandleNumber(LineCursor line, int start, string expected)
    {
        ulong number = char.IsAsciiDigit(line.Peek) ? line.Unsigned(expected) : 0;
        return number is >= 1 and <= MostHandles ? (int)number
            : throw line.Error(start, $"expected {expected}");
    }

    private static long Offset(LineCursor line) =>
        line.TryTake("+") ? line.Signed("an offset in bytes")
        : line.Peek == '-' ? line.Signed("an offset in bytes") : 0;

    private static Call ParseEvent(LineCursor line)
    {
        int start = line.Position;
        string name = line.Word("an event");
        line.Expect("(");
        int argument = line.Position;
        Call call = name switch
        {
            "kill" when line.TryTake("p") => new Kill(Process(line, argument)),
            "reclaim" when line.TryTake("s") => ParseReclaim(line, Segment(line, argument)),
            "kill" or "reclaim" => throw line.Error(argument, "expected a handle"),
            _ => throw line.Error(start, "expected the event kill or reclaim"),
        };
        line.Expect(")");
        return call;
    }

    private static Reclaim ParseReclaim(LineCursor line, SegmentHandle segment)
    {
        Comma(line);
        ulong first = line.Unsigned("a page");
        line.Expect("-");
        int start = line.Position;
        ulong last = line.Unsigned("a page");
        return last >= first ? new Reclaim(segment, new PageRange(first, last))
            : throw line.Error(start, "expected a page that is not before the first");
    }

    private static SetSysctl ParseSysctl(LineCursor line, ProcessHandle inNamespaceOf)
    {
        line.SkipBlanks();
        int start = line.Position;
        string name = line.While(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.');
        foreach (Sysctl sysctl in Enum.GetValues<Sysctl>())
        {
            if (SysctlText.Of(sysctl) == name)
            {
                line.Expect("=");
                line.SkipBlanks();
                ulong value = line.Peek == '-' ? (ulong)line.Signed("a value")
                    : line.Unsigned("a value");
                return new SetSysctl(sysctl, value, inNamespaceOf);
            }
        }

        throw line.Error(start, "expected one of "
            + string.Join(", ", Enum.GetValues<Sysctl>().Select(SysctlText.Of)));
    }

    private static Call ParseBody(LineCursor line, int start, string name, ProcessHandle p) =>
        name switch
        {
            "shmget" => new ShmGet(p, Key(line), Next(line, "a size"), GetFlags(line), default),
            "shmat" => new ShmAt(p, Segment(line), NextAddress(line), AtFlags(line), default),
            "shmdt" => new ShmDt(p, Address(line)),
            "shmctl" => ParseControl(line, p, Segment(line)),
            "fork" => new Fork(p, default),
            "vfork" => new VFork(p, default),
            "clone" => new Clone(p, FlagParser.Parse<CloneFlags>(line), default),
            "execve" => new Exec(p),
            "exit" => Zero(line, new Exit(p)),
            "exit_group" => Zero(line, new ExitGroup(p)),
            "unshare" => ParseUnshare(line, p),
            "setns" => new SetNs(p, ParseProcess(line)),
            "mlockall" => new MLockAll(p, FlagParser.Parse<MLockAllFlags>(line)),
            "munlockall" => new MUnlockAll(p),
            "load" => new Load(p, Address(line), Page(line)),
            "store" => new Store(p, Address(line), Page(line), Byte(line)),
            "swapon" => new SwapOn(p),
            "swapoff" => new SwapOff(p),
            _ => ParseRange(line, name, p) ?? ParseCredential(line, name, p)
                ?? throw line.Error(start, $"expected the name of a call, not '{name}'"),
        };

    private static Call? ParseRange(LineCursor line, string name, ProcessHandle p)
    {
        if (name is not ("mmap" or "munmap" or "mprotect" or "mremap" or "mlock" or "mlock2"
            or "munlock" or "madvise" or "mbind"))
        {
            return null;
        }

        AddressRef start = Address(line);
        ulong length = Next(line, "a length");
        return name switch
        {
            "mmap" => new MMap(p, start, length, Protect(line), Map(line), default),
            "munmap" => new MUnmap(p, start, length),
            "mprotect" => new MProtect(p, start, length, Protect(line)),
            "mremap" => new MRemap(p, start, length, Next(line, "a length"), Remap(line),
                line.TryTake(",") ? Address(line) : AddressRef.Null, default),
            "mlock" => new MLock(p, start, length),
            "mlock2" => ParseOnFault(line, new MLock(p, start, length, OnFault: true)),
            "munlock" => new MUnlock(p, start, length),
            "madvise" => new MAdvise(p, start, length, ParseAdvice(line)),
            _ => new MBind(p, start, length, NextInt(line, "a policy")),
        };
    }

    private static Call? ParseCredential(LineCursor line, string name, ProcessHandle p) =>
        name switch
        {
            "setuid" => new SetUid(p, line.Int32("a user")),
            "setgid" => new SetGid(p, line.Int32("a group")),
            "setresuid" => new SetResUid(
                p, line.Int32("a user"), NextInt(line, "a user"), NextInt(line, "a user")),
            "setresgid" => new SetResGid(
                p, line.Int32("a group"), NextInt(line, "a group"), NextInt(line, "a group")),
            "setgroups" => new SetGroups(p, Groups(line)),
            "capset" => new CapSet(p, FlagParser.Capabilities(line), NextCapabilities(line)),
            "prctl" => ParseKeepCaps(line, p),
            "setrlimit" => ParseLimit(line, p),
            _ => null,
        };

    private static Call ParseControl(LineCursor line, ProcessHandle p, SegmentRef segment)
    {
        Comma(line);
        int start = line.Position;
        string command = line.Word("a command of shmctl");
        bool bad = TryTakeBad(line);
        switch (command)
        {
            case "IPC_STAT": return new ShmCtlStat(p, segment, bad);
            case "IPC_SET": return bad ? new ShmCtlSet(p, segment, 0, 0, 0, true)
                : ParseSet(line, p, segment);
            case "IPC_INFO": return new ShmCtlIpcInfo(p, segment, bad);
            case "SHM_INFO": return new ShmCtlShmInfo(p, segment, bad);
            case "SHM_STAT": return new ShmCtlStatIndex(p, segment, false, bad);
            case "SHM_STAT_ANY": return new ShmCtlStatIndex(p, segment, true, bad);
            case "IPC_RMID" when !bad: return new ShmCtlRmid(p, segment);
            case "SHM_LOCK" when !bad: return new ShmCtlLock(p, segment);
            case "SHM_UNLOCK" when !bad: return new ShmCtlUnlock(p, segment);
            default: break;
        }

        line.Return(start);
        ulong number = char.IsAsciiDigit(line.Peek)
            ? line.Unsigned("a command of shmctl") : ulong.MaxValue;
        return number <= uint.MaxValue && !bad ? new ShmCtlOther(p, segment, (int)(uint)number)
            : throw line.Error(start, "expected a command of shmctl: IPC_STAT, IPC_SET, IPC_RMID, "
                + "IPC_INFO, SHM_INFO, SHM_STAT, SHM_STAT_ANY, SHM_LOCK, SHM_UNLOCK or a number");
    }

    private static ShmCtlSet ParseSet(LineCursor line, ProcessHandle p, SegmentRef segment)
    {
        line.Expect(",");
        line.Expect("{");
        line.Expect("uid");
        line.Expect("=");
        int uid = line.Int32("a user");
        line.Expect(",");
        line.Expect("gid");
        line.Expect("=");
        int gid = line.Int32("a group");
        line.Expect(",");
        line.Expect("mode");
        line.Expect("=");
        int mode = line.Int32("a mode");
        line.Expect("}");
        return new ShmCtlSet(p, segment, uid, gid, mode);
    }

    private static bool TryTakeBad(LineCursor line)
    {
        int start = line.Position;
        line.SkipBlanks();
        if (line.TryTake(",") && line.SkipBlanks() && line.TryTake("BAD"))
        {
            return true;
        }

        line.Return(start);
        return false;
    }

    private static SegmentRef Segment(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        foreach ((string name, Func<SegmentHandle, SegmentRef> make) in
            new (string, Func<SegmentHandle, SegmentRef>)[]
            {
                ("stale(s", SegmentRef.Stale), ("index(s", SegmentRef.Index),
            })
        {
            if (line.TryTake(name))
            {
                SegmentRef reference = make(Segment(line, start));
                line.Expect(")");
                return reference;
            }
        }

        return line.TryTake("s") ? Segment(line, start)
            : char.IsAsciiDigit(line.Peek) || line.Peek == '-'
                ? SegmentRef.Literal(line.Int32("a segment"))
            : throw line.Error(
                start, "expected a segment: s1, stale(s1), index(s1) or a number");
    }

    private static ShmKey Key(LineCursor line)
    {
        int start = line.Position;
        if (line.TryTake("IPC_PRIVATE"))
        {
            return ShmKey.Private;
        }

        ulong key = line.Unsigned("a key");
        return key <= uint.MaxValue ? new ShmKey((int)(uint)key)
            : throw line.Error(start, "expected a key of 32 bits");
    }

    private static ProcessHandle ParseProcess(LineCursor line)
    {
        int start = line.Position;
        return line.TryTake("p") ? Process(line, start)
            : throw line.Error(start, "expected a process such as p1");
    }

    private static Unshare ParseUnshare(LineCursor line, ProcessHandle p)
    {
        line.Expect("CLONE_NEWIPC");
        return new Unshare(p);
    }

    private static Call Zero(LineCursor line, Call call)
    {
        line.Expect("0");
        return call;
    }

    private static MLock ParseOnFault(LineCursor line, MLock call)
    {
        Comma(line);
        line.Expect("MLOCK_ONFAULT");
        return call;
    }

    private static Advice ParseAdvice(LineCursor line)
    {
        Comma(line);
        if (char.IsAsciiDigit(line.Peek))
        {
            return (Advice)line.Int32("an advice");
        }

        int start = line.Position;
        string name = line.Word("an advice");
        return Enum.TryParse(name, out Advice advice) ? advice
            : throw line.Error(start, "expected one of "
                + string.Join(", ", Enum.GetNames<Advice>()));
    }

    private static KeepCaps ParseKeepCaps(LineCursor line, ProcessHandle p)
    {
        line.Expect("PR_SET_KEEPCAPS");
        Comma(line);
        int start = line.Position;
        return line.Unsigned("0 or 1") switch
        {
            0 => new KeepCaps(p, false),
            1 => new KeepCaps(p, true),
            _ => throw line.Error(start, "expected 0 or 1"),
        };
    }

    private static SetRLimit ParseLimit(LineCursor line, ProcessHandle p)
    {
        int start = line.Position;
        string name = line.Word("a resource");
        if (!Enum.TryParse(name, out Resource resource) || char.IsAsciiDigit(name[0]))
        {
            throw line.Error(start, "expected RLIMIT_MEMLOCK or RLIMIT_AS");
        }

        Comma(line);
        return new SetRLimit(p, resource, line.TryTake("RLIM_INFINITY")
            ? SetRLimit.Unlimited : line.Unsigned("a limit in bytes"));
    }

    private static ImmutableArray<int> Groups(LineCursor line)
    {
        line.Expect("[");
        var groups = ImmutableArray.CreateBuilder<int>();
        line.SkipBlanks();
        while (line.Peek != ']')
        {
            groups.Add(line.Int32("a group"));
            line.SkipBlanks();
            if (!line.TryTake(","))
            {
                break;
            }

            line.SkipBlanks();
        }

        line.Expect("]");
        return groups.ToImmutable();
    }

    private static TouchedPage Page(LineCursor line)
    {
        Comma(line);
        bool huge = line.TryTake("hpage");
        if (!huge)
        {
            line.Expect("page");
        }

        line.SkipBlanks();
        return new TouchedPage(line.Unsigned("the number of a page"), huge);
    }

    private static byte Byte(LineCursor line)
    {
        Comma(line);
        int start = line.Position;
        ulong value = line.Unsigned("a byte");
        return value <= byte.MaxValue ? (byte)value : throw line.Error(
            start, "expected a byte: a number from 0 to 255");
    }

    private static void Comma(LineCursor line)
    {
        line.Expect(",");
        line.SkipBlanks();
    }

    private static ulong Next(LineCursor line, string expected)
    {
        Comma(line);
        return line.Unsigned(expected);
    }

    private static int NextInt(LineCursor line, string expected)
    {
        Comma(line);
        return line.Int32(expected);
    }

    private static AddressRef NextAddress(LineCursor line)
    {
        Comma(line);
        return Address(line);
    }

    private static ShmGetFlags GetFlags(LineCursor line)
    {
        Comma(line);
        return FlagParser.ShmGet(line);
    }

    private static ShmAtFlags AtFlags(LineCursor line)
    {
        Comma(line);
        return FlagParser.ShmAt(line);
    }

    private static Protection Protect(LineCursor line)
    {
        Comma(line);
        return FlagParser.Parse<Protection>(line);
    }

    private static MapFlags Map(LineCursor line)
    {
        Comma(line);
        return FlagParser.Map(line);
    }

    private static MRemapFlags Remap(LineCursor line)
    {
        Comma(line);
        return FlagParser.Parse<MRemapFlags>(line);
    }

    private static CapabilitySet NextCapabilities(LineCursor line)
    {
        Comma(line);
        return FlagParser.Capabilities(line);
    }
}
