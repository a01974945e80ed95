using System.Text;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Properties.Traces;

/// <summary>Damages traces: bytes, words, lines, numbers.</summary>
internal sealed class Damage(ulong seed)
{
    private const int LongestText = 20_000;

    private static readonly string[] Sources = [.. Recorded(), .. Drawn()];

    private static readonly string[] Pieces =
    [
        "99999999999999999999", "18446744073709551615", "18446744073709551616", "-1", "-0", "0x",
        "0xffffffffffffffffff", "-9223372036854775808", "2147483648", "1000001", "08", "07777",
        "18014398509481984K", "1K", "4G", "\0", "\uffff", "é", "\t", " ", "\r", "\n", "\r\n", "#",
        "(", ")", "((", "{", "}", "{}", "[", "]", ",", ", ,", "=", "==", "|", "||", "!", "!frame#0",
        "!frame#1", "!id#99999999999", "?", ":", "@", "@1+", "a", "a0", "a1", "a1+", "a1-1", "p",
        "p0", "p1", "p1000001", "s", "s0", "s1", "stale(", "stale(s1)", "index(s1", "NULL", "BAD",
        "ok", "set", "-1 EINVAL", "-1 E", "SIG", "SIGBUS", "SIGKILL", "machine", "machine ",
        "machine page=0", "page=4096", "page=3", "hugepage=4096", "hugesizes=", "hugesizes=1,",
        "frames=4294967296", "swapdev=", "profile=7", "env ", "env kill(", "env reclaim(s1, 5-1)",
        "observe ", "observe ipc", "observe s1 {", "p1:a1 {Rss=4}", "nattch=1", "sysctl ",
        "sysctl vm.nr_hugepages = ", "p1 ", "p1 fork()", "p1 clone(|)", "p1 setgroups([",
        "21<<SHM_HUGE_SHIFT", "64<<SHM_HUGE_SHIFT", "IPC_CREAT", "PROT_", "ALL", "RLIM_INFINITY",
        "# shmcheck trace 1", "# shmcheck trace 2",
    ];

    private readonly Random64 _random = new(seed);
    private readonly StringBuilder _text = new();

    /// <summary>The next damaged trace.</summary>
    public string Next()
    {
        _text.Clear().Append(_random.Of<string>(Sources));
        int wounds = 1 + _random.Below(_random.OneIn(3) ? 8 : 2);
        for (int wound = 0; wound < wounds; wound++)
        {
            // The header is spared for the most part: what follows it is of more interest.
            int least = _random.OneIn(16) ? 0 : Math.Min(18, _text.Length);
            Wound(least + _random.Below(_text.Length - least + 1));
        }

        return _text.ToString();
    }

    private void Wound(int at)
    {
        int rest = _text.Length - at;
        switch (_random.Below(10))
        {
            case 0:
                _text.Remove(at, Math.Min(rest, 1 + _random.Below(8)));
                break;
            case 1:
                _text.Insert(at, (char)_random.Below(128));
                break;
            case 2 when rest > 0:
                _text[at] = (char)(_text[at] ^ (1 << _random.Below(7)));
                break;
            case 3:
                _text.Length = at;
                break;
            case 4 when _text.Length < LongestText:
                string other = _random.Of<string>(Sources);
                int from = _random.Below(other.Length);
                _text.Insert(at, other.AsSpan(from, Math.Min(other.Length - from, 60)));
                break;
            case 5:
            case 6:
                ReplaceNumber(at);
                break;
            case 7 when _text.Length < LongestText:
                InsertLine(at);
                break;
            default:
                _text.Insert(at, _random.Of<string>(Pieces));
                break;
        }
    }

    private void InsertLine(int at)
    {
        string[] lines = _random.Of<string>(Sources).Split('\n');
        while (at > 0 && _text[at - 1] != '\n')
        {
            at--;
        }

        _text.Insert(at, lines[_random.Below(lines.Length)] + "\n");
    }

    private void ReplaceNumber(int at)
    {
        while (at < _text.Length && !char.IsAsciiDigit(_text[at]))
        {
            at++;
        }

        int end = at;
        while (end < _text.Length && char.IsAsciiDigit(_text[end]))
        {
            end++;
        }

        _text.Remove(at, end - at).Insert(at, _random.OneIn(2)
            ? _random.Of<string>(Pieces.AsSpan(0, 14)) : $"{_random.Next() >> _random.Below(64)}");
    }

    private static IEnumerable<string> Recorded() =>
        RecordedTraces.All.Select(trace => File.ReadAllText(RecordedTraces.PathOf(trace)));

    /// <summary>Traces with every form of line, and with every call.</summary>
    private static IEnumerable<string> Drawn()
    {
        for (ulong seed = 1; seed <= 60; seed++)
        {
            yield return DivergenceText.Trace(RandomRun.Of(
                SpecSystem.Factory, RandomRun.Machine(seed), seed, 10));
            yield return AnyTrace.Of(seed, 8).ToString();
        }
    }
}
