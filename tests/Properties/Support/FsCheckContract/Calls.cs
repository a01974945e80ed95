namespace ShmCheck.Properties.Support.FsCheckContract;

/// <summary>What the body of a sample was called with, told to the test that runs it: a sample is
/// created by the runner and has no other way to say it.</summary>
internal static class Calls
{
    private static readonly AsyncLocal<object?> Log = new();

    /// <summary>The calls of the samples that the calling test runs from now on.</summary>
    public static List<T> Of<T>()
    {
        List<T> calls = [];
        Log.Value = calls;
        return calls;
    }

    /// <summary>Tells of a call.</summary>
    public static void Add<T>(T call) => ((List<T>)Log.Value!).Add(call);
}
