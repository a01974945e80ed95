using ShmCheck.Harness.Oracle;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>The judge of the falsifications: the only place that knows the oracle.</summary>
internal static class TheOracle
{
    /// <summary>Judges a log.</summary>
    /// <param name="text">The log.</param>
    /// <param name="sidecar">Path of its sidecar, if it has one.</param>
    public static Verdict Judge(string text, string? sidecar)
    {
        try
        {
            StraceLog log = StraceLog.Read(
                new StringReader(text), "log", sidecar is null ? null : SidecarFile.Load(sidecar));
            OracleVerdict verdict = LogOracle.Judge(log, new OracleOptions());
            return new Verdict(
                verdict.Verdict switch
                {
                    LogVerdict.Explained => Judgement.Explained,
                    LogVerdict.Unexplained => Judgement.Unexplained,
                    LogVerdict.Unreadable => Judgement.Unreadable,
                    _ => throw new InvalidOperationException($"{verdict.Verdict}"),
                },
                verdict.Line, verdict.Reason);
        }
        catch (StraceFormatException refusal)
        {
            return new Verdict(Judgement.Unreadable, refusal.Error.Line, refusal.Message);
        }
    }
}
