namespace ShmCheck.LiveTests;

/// <summary>What the attributes of live tests have in common.</summary>
public interface ILiveAttribute
{
    /// <summary>What becomes of the test on this machine.</summary>
    LiveVerdict Verdict { get; }
}
