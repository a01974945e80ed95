using System.Globalization;
using System.Text.RegularExpressions;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Falsifies the figures of the structures that shmctl fills in.</summary>
internal sealed partial class StructForger(LogFacts facts)
{
    private const int Dest = 0x200;
    private const int Locked = 0x400;

    /// <summary>The falsified figures of a call.</summary>
    public IEnumerable<Forgery> Forge(CallText call)
    {
        if (call.Name != "shmctl" || !call.Succeeded
            || call.Argument(1).EndsWith("IPC_SET", StringComparison.Ordinal))
        {
            yield break;
        }

        string text = call.Exit.Text;
        int open = text.IndexOf('{', StringComparison.Ordinal);
        if (open < 0)
        {
            yield break;
        }

        foreach (Match figure in FigurePattern().Matches(text, open))
        {
            string name = figure.Groups["name"].Value;
            Group value = figure.Groups["value"];
            foreach ((string field, string forged, Doubt doubt) in Values(call, name, value.Value))
            {
                yield return new Forgery(
                    call.Exit.Line, field, call.Exit.Offset + value.Index, value.Value, forged,
                    doubt);
            }
        }
    }

    private IEnumerable<(string Field, string Forged, Doubt Doubt)> Values(
        CallText call, string name, string old) => name switch
        {
            "uid" or "gid" or "cuid" or "cgid" => Credential(call, name, old),
            "mode" => Mode(call, old),
            "key" => [("stat.key", Next(old), Start)],
            "shm_segsz" => [("stat.segsz", Next(old), Start)],
            "shm_cpid" or "shm_lpid" => Pid(call, name[4..], old),
            "shm_nattch" => Attaches(call, old),
            "shm_atime" or "shm_dtime" or "shm_ctime" => Stamp(call, name[4..], old),
            "shmmin" or "shmseg" or "shmmni" => [($"info.{name}", Next(old), Doubt.None)],
            "shmmax" or "shmall" => [($"info.{name}", Previous(old), Settings)],
            "used_ids" => [("totals.used_ids", Next(old), Population(call))],
            "shm_tot" => [("totals.shm_tot", Next(old), Population(call))],
            "shm_rss" => Residency(call, old),
            "shm_swp" => [("totals.shm_swp", Next(old), facts.HasSwap
                ? Doubt.Residency : Doubt.None)],
            "swap_attempts" or "swap_successes" => [($"totals.{name}", Next(old), Doubt.None)],
            _ => [],
        };

    private Doubt Start => facts.HasStart ? Doubt.None : Doubt.UnknownStart;

    private Doubt Settings => facts.HasStart
        ? facts.ShowsWrites ? Doubt.None : Doubt.HiddenCalls : Doubt.UnknownStart;

    /// <summary>Of the number of segments and their sizes: others come and go.</summary>
    private Doubt Population(CallText call) => call.IsOverlapped ? Doubt.Overlap
        : !facts.HasStart ? Doubt.UnknownStart
        : facts.ShowsTasks ? Doubt.None : Doubt.HiddenCalls;

    private (string, string, Doubt)[] Credential(CallText call, string name, string old)
    {
        Doubt doubt = call.IsOverlapped ? Doubt.Overlap : !facts.HasStart ? Doubt.UnknownStart
            : facts.ShowsCredentials ? Doubt.None : Doubt.HiddenCalls;
        return [($"stat.{name}", old == "0" ? "1000" : "0", doubt)];
    }

    private (string, string, Doubt)[] Mode(CallText call, string old)
    {
        int mode = Convert.ToInt32(old, 8);
        Doubt doubt = call.IsOverlapped ? Doubt.Overlap : Start;
        Doubt dest = doubt == Doubt.None && !facts.ShowsTasks ? Doubt.HiddenCalls : doubt;
        return
        [
            ("stat.mode", Octal(mode ^ 0x80), doubt),
            ("stat.mode.DEST", Octal(mode ^ Dest), dest),
            ("stat.mode.LOCKED", Octal(mode ^ Locked), doubt),
        ];
    }

    private (string, string, Doubt)[] Pid(CallText call, string name, string old)
    {
        Doubt doubt = call.IsOverlapped ? Doubt.Overlap : !facts.HasStart ? Doubt.UnknownStart
            : facts.HasNamespaces || (name == "lpid" && !facts.ShowsMappings)
                ? Doubt.HiddenCalls : Doubt.None;
        return [($"stat.{name}", Next(old), doubt)];
    }

    private (string, string, Doubt)[] Attaches(CallText call, string old)
    {
        Doubt doubt = call.IsOverlapped ? Doubt.Overlap : !facts.HasStart ? Doubt.UnknownStart
            : facts.ShowsMappings ? Doubt.None : Doubt.HiddenCalls;
        return old == "0"
            ? [("stat.nattch", "1", doubt)]
            : [("stat.nattch", Next(old), doubt), ("stat.nattch", Previous(old), doubt)];
    }

    private IEnumerable<(string, string, Doubt)> Stamp(CallText call, string name, string old)
    {
        Doubt doubt = call.IsOverlapped ? Doubt.Overlap : !facts.HasStart ? Doubt.UnknownStart
            : name == "ctime" || facts.ShowsMappings ? Doubt.None : Doubt.HiddenCalls;
        if (old == "0")
        {
            yield return ($"stat.{name}.set", $"{facts.Start + 1}", doubt);
            yield break;
        }

        yield return ($"stat.{name}.zero", "0", doubt);
        yield return ($"stat.{name}.second", Next(old), Doubt.Clock);
        Doubt distant = facts.HasStarted ? Doubt.None : Doubt.UnknownStart;
        yield return ($"stat.{name}.early", Offset(old, -1_000_000), distant);
        yield return ($"stat.{name}.late", Offset(old, 1_000_000), distant);
    }

    private IEnumerable<(string, string, Doubt)> Residency(CallText call, string old)
    {
        string text = call.Exit.Text;
        ulong total = ulong.Parse(
            TotalPattern().Match(text).Groups[1].Value, CultureInfo.InvariantCulture);
        yield return ("totals.shm_rss.lower", Previous(old), Doubt.Residency);

        // Pages of huge segments are counted in base pages too, and rounded up to huge ones.
        yield return ("totals.shm_rss.beyond", $"{(total + 512) * 512 * 1024}", Start);
    }

    private static string Octal(int mode) => "0" + Convert.ToString(mode, 8);

    private static string Next(string old) =>
        old.StartsWith('-') ? Offset(old, 1) : $"{Number(old) + 1}";

    private static string Previous(string old) => old == "0" ? "1" : $"{Number(old) - 1}";

    private static string Offset(string old, long by) =>
        $"{long.Parse(old, CultureInfo.InvariantCulture) + by}";

    private static ulong Number(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<name>[a-z_]+)=(?<value>-?\d+)(?=[,}])")]
    private static partial Regex FigurePattern();

    [GeneratedRegex(@"shm_tot=(\d+)")]
    private static partial Regex TotalPattern();
}
