using FsRunner = FsCheck.Runner;

namespace FsCheck.Xunit;

/// <summary>A property that does not hold, or whose cases were nearly all rejected.</summary>
public class PropertyFailedException : Exception
{
    /// <summary>A failure told by FsCheck's own summary.</summary>
    public PropertyFailedException(TestResult testResult)
        : base(Environment.NewLine + FsRunner.onFinishedToString("", testResult))
    {
    }

    /// <summary>A failure with the exception that was the cause of it.</summary>
    public PropertyFailedException(string userMessage, Exception innerException)
        : base(userMessage, innerException)
    {
    }
}
